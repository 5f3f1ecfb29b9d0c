/** What a patch changes, as the reader of a mailing list expects it: each function of the kernel against its own. */
import { createTwoFilesPatch } from 'diff';
import type { KernelFunctions } from '../kernel/kernel.ts';
import { type Patch, patched } from '../patches/patch.ts';

const CONTEXT_LINES = 8;

/**
 * A unified diff of the functions that `patch` overrides, one after the other, against those of `stock`. Types are left
 * out, as Node leaves them out. Where a function wraps the one of stock, the diff has the wrapper: its file has what
 * it calls.
 */
export function patchDiff(stock: KernelFunctions, patch: Patch): string {
  const changed = patched(stock, [patch]);
  const names = Object.keys(changed) as (keyof KernelFunctions)[];
  return names
    .filter((name) => changed[name] !== stock[name])
    .map((name) =>
      createTwoFilesPatch(
        `stock/${name}`,
        `${patch.id}/${name}`,
        `${sourceOf(stock[name])}\n`,
        `${sourceOf(changed[name])}\n`,
        undefined,
        undefined,
        { context: CONTEXT_LINES, headerOptions: FILES_ONLY },
      ),
    )
    .join('');
}

const FILES_ONLY = { includeIndex: false, includeUnderline: false, includeFileHeaders: true };

/** Blanks stand where the types were, and a function within another one is indented as that is. */
function sourceOf(code: KernelFunctions[keyof KernelFunctions]): string {
  const lines = String(code).split('\n');
  const indent = /^ */.exec(lines.at(-1) ?? '')?.[0] ?? '';
  return lines
    .map((line) =>
      line
        .replace(new RegExp(`^${indent}`), '')
        .replace(/(\S) {2,}/g, '$1 ')
        .replace(/(\w) +([,);])/g, '$1$2')
        .trimEnd(),
    )
    .join('\n');
}
