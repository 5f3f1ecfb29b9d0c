import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { handleMmFault } from '../../kernel/fault/handle-mm-fault.ts';
import { resolveUserImports } from '../../scenario/user-imports.ts';
import { ownLines } from './own-files.ts';
import { beginCounting, countFromHere } from './reached-code.ts';

countFromHere();
resolveUserImports();
const folder = mkdtempSync(join(tmpdir(), 'mmrace-differing-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

/** Text of the lines that were missed when `mine` of the module `text` was called with `args`. */
async function missedOf(text: string, ...args: readonly unknown[]) {
  files += 1;
  const file = join(folder, `mine-${files}.mjs`);
  writeFileSync(file, text);
  const { mine } = await import(pathToFileURL(file).href);
  const counting = beginCounting('lines');
  mine(...args)?.next?.();
  const aliases = new Map([['mine', 'handleMmFault']]);
  const [lines] = ownLines(file, counting.taken(), { shipped: 'kernel', aliases });
  counting.end();
  const written = text.split('\n');
  return lines?.missed.map((number) => written[number - 1]?.trim());
}

for (const line of [
  'if (k.never) { k.x += 77; }',
  'if (k.never) k.x += 77;',
  'k.y = k.never ? 77 : 0;',
  'k.y = k.x ?? 77;',
  'k.y = k.never && k.bug();',
  'k.bug?.(k.x);',
  'for (const one of k.none) { k.x += one; }',
  'k.none.forEach((one) => { k.x += one; });',
  'if (k.never) return;',
  'if (k.never) { k.x = 5; throw new Error(); }',
  'switch (k.x) { case 77: k.x = 0; break; default: break; }',
]) {
  test(`half a line that has not run is missed: ${line}`, async () => {
    const text = `export function mine(k) {\n  k.z = 1;\n  ${line}\n  k.z = 2;\n}\n`;
    assert.deepEqual(await missedOf(text, { x: 1, none: [] }), [line]);
  });
}

test('an assertion that never fails is no line of its own, on one line or on several', async () => {
  const text = `
export function mine(k) {
  if (k.never) throw new Error('x');
  if (k.never) { throw new Error('x'); }
  if (k.never) {
    throw new Error(
      'never',
      { cause: k.x },
    );
  }
  switch (k.x) {
    case 1:
      k.y = 2;
      break;
    default:
      throw new Error('x');
  }
  if (k.x === 1) {
    k.y = 3;
  } else {
    throw new Error('x');
  }
}
`;
  assert.deepEqual(await missedOf(text, { x: 1 }), []);
});

test('what stands in the function of the kernel is not its own, though it has not run', async () => {
  // Without its types, under another name, and left at its first step.
  const text = String(handleMmFault)
    .replace(/^function\s*\*\s*handleMmFault/, 'export function* mine')
    .replace('{\n', '{\n  yield 0;\n');
  assert.deepEqual(await missedOf(text, {}, {}), []);
});

test('a line of the kernel in another place is its own', async () => {
  const line = readFileSync(
    new URL('../../kernel/hmm/migrate-vma-pages.ts', import.meta.url),
    'utf8',
  )
    .split('\n')
    .find((one) => /^ {2,}yield\* .*;$/.test(one));
  assert.ok(line !== undefined);
  const call = line.trim().replace('yield*', '');
  const moved = `export function mine(k) {\n  k.z = 1;\n  if (k.never) {\n    ${call}\n  }\n}\n`;
  assert.equal((await missedOf(moved, {}))?.length, 1);
});

test('a branch that was never entered is its own if its condition is', async () => {
  const body = (condition: string) => `
export function mine(k, seen, now) {
  ${condition}
    unlockPte(k, at);
    return 'done';
  }
}
`;
  const missed = await missedOf(body('if (k.never) {'), {}, 1, 1);
  assert.deepEqual(missed, ['unlockPte(k, at);', "return 'done';"]);
  assert.deepEqual(await missedOf(body('if (now !== seen) {'), {}, 1, 1), []);
});
