/** The lines of a patch's file that the stock kernel does not have, and which of them were reached. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maskSource } from '../../journal/mask-source.ts';
import { type CountedScript, functionAt, isReached } from './reached-code.ts';

/** Numbers from 1. */
export interface DifferingLines {
  readonly all: readonly number[];
  readonly missed: readonly number[];
}

/** The function that makes the overrides runs whenever a world is built: that says nothing. */
const MAKER = 'overrides';

/**
 * Of lines inside functions, without those that say nothing (brackets, comments). Empty where a patch only leaves
 * something out.
 *
 * `script` is what V8 counted of `text`, whose types it has seen as blanks.
 */
export function differingLines(script: CountedScript, text: string): DifferingLines {
  const stock = stockLines();
  const code = maskSource(text, 'comments');
  const all: number[] = [];
  const missed: number[] = [];
  let offset = 0;
  for (const [at, line] of code.split('\n').entries()) {
    const begin = offset + line.length - line.trimStart().length;
    offset += line.length + 1;
    if (!saysSomething(line) || stock.has(line.trim())) continue;
    const inside = functionAt(script, begin);
    if (inside === undefined || inside.functionName === MAKER || isModule(inside)) continue;
    all.push(at + 1);
    if (!isReached(script, begin)) missed.push(at + 1);
  }
  return { all, missed };
}

/** The script as a whole is a function without a name that begins at 0. */
function isModule({ functionName, ranges }: CountedScript['functions'][number]): boolean {
  return functionName === '' && ranges[0]?.startOffset === 0;
}

/** An assertion that never fails is reached by none, and that is as it should be. */
function saysSomething(line: string): boolean {
  return /\w/.test(line) && !/^\s*(?:import|export\s*\{|\}\s*from|throw)\b/.test(line);
}

let known: ReadonlySet<string> | undefined;

/** Every line of the kernel's sources. Read once: they do not change while a process runs. */
function stockLines(): ReadonlySet<string> {
  if (known === undefined) {
    const folder = fileURLToPath(new URL('../../kernel', import.meta.url));
    const files = globSync('**/*.{ts,js}', { cwd: folder });
    known = new Set(
      files
        .filter((path) => !/\.(?:test|fixture|bench|d)\.[tj]s$/.test(path))
        .flatMap((path) => readFileSync(join(folder, path), 'utf8').split('\n'))
        .map((line) => line.trim()),
    );
  }
  return known;
}
