import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CALLED_BACK_FUNCTIONS, CALLED_FUNCTIONS } from './traced-functions.ts';

const KERNEL = fileURLToPath(new URL('../kernel', import.meta.url));
const SOURCES = globSync('**/*.ts', { cwd: KERNEL })
  .filter((path) => !/\.(?:test|fixture)\.ts$/.test(path))
  .map((path) => readFileSync(join(KERNEL, path), 'utf8'))
  .join('\n');

function named(pattern: RegExp): string[] {
  return [...new Set([...SOURCES.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

test('the functions that events name are those that the kernel emits', () => {
  const called = [
    ...named(/(?:emitCall|called|movePages|finalize)\(\s*k,\s*(?:cpu,\s*)?'(\w+)'/g),
    ...named(/kind: 'call',\s*function: '(\w+)'/g),
  ];
  const advised = CALLED_FUNCTIONS.filter((name) => name.startsWith('madvise_'));
  assert.match(SOURCES, /called\(\s*k,\s*cpu,\s*`madvise_\$\{advice\.toLowerCase\(\)\}`/);
  const pinning = named(/(?:begins|ends): '(\w+)'/g);
  // get_user_pages() is called by CPUs and by devices.
  const all = new Set([...called, ...advised, ...pinning]);
  assert.deepEqual([...all].sort(), [...CALLED_FUNCTIONS].sort());
  const calledBack = named(/kind: 'callback',\s*function: '(\w+)'/g);
  assert.deepEqual(calledBack, [...CALLED_BACK_FUNCTIONS].sort());
});
