import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STOCK } from './stock.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

function sources(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/\.(?:test|fixture|bench)\.ts$/.test(name),
  );
}

/** Names that `text` calls with the kernel as the first argument, but not through an object. */
function calledDirectly(text: string): Set<string> {
  const calls = text.matchAll(/(?<![\w.])([a-z]\w*)\(k[,)]/g);
  return new Set([...calls].map(([, name = '']) => name));
}

/** Methods that `text` defines: a change of a version names what it overrides as it would call it. */
function definedIn(text: string): Set<string> {
  const methods = text.matchAll(/^\s*\*([a-z]\w*)\(k[,)].*\{$/gm);
  return new Set([...methods].map(([, name = '']) => name));
}

test('what a patch may override is called through the table, or the override would be passed by', () => {
  const past: string[] = [];
  for (const name of sources()) {
    if (name === 'kernel.ts' || name === 'stock.ts') continue;
    const text = readFileSync(`${FOLDER}${name}`, 'utf8');
    const direct = calledDirectly(text);
    const own = definedIn(text);
    for (const one of Object.keys(STOCK)) {
      if (direct.has(one) && !own.has(one)) past.push(`${name}: ${one}`);
    }
  }
  assert.deepEqual(past, []);
});

test('a call past the table is noticed', () => {
  assert.ok(definedIn('    *zapPte(k, at) {').has('zapPte'));
  assert.ok(!definedIn('  yield* zapPte(k, at);').has('zapPte'));
  assert.ok(calledDirectly('  yield* zapPte(k, at);').has('zapPte'));
  assert.ok(!calledDirectly('  yield* k.fn.zapPte(k, at);').has('zapPte'));
  assert.ok(!calledDirectly('export function* zapPte(k: Kernel, at: LockedPte) {').has('zapPte'));
});
