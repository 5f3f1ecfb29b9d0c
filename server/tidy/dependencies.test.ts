/** Each package that is asked for has its reason written down. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DECISION = 'docs/decisions/0005-dependencies.md';

/** The packages in the first column of its table; `@types/*` stands for all below it. */
function packagesIn(text: string): readonly string[] {
  const rows = [...text.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

test(`${DECISION} says why each package is there, and names none that is not`, () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(`${ROOT}package.json`, 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>;
  const asked = Object.keys({ ...dependencies, ...devDependencies });
  const named = packagesIn(readFileSync(`${ROOT}${DECISION}`, 'utf8'));
  const groups = named.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -1));
  const inGroup = (name: string) => groups.some((group) => name.startsWith(group));
  assert.deepEqual(
    asked.filter((name) => !inGroup(name)).sort(),
    named.filter((name) => !name.endsWith('/*')).sort(),
  );
});
