import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShapeRecord } from './ask-shape.ts';
import { openShapeCache } from './shape-cache.ts';
import { scenarioOfShape, shapeNamed } from './shapes.ts';

const LOAD = scenarioOfShape(shapeNamed('none:load'));
const STORE = scenarioOfShape(shapeNamed('none:store'));
const HOLDS: ShapeRecord = { word: 'holds', executions: 3, why: '', called: ['load'] };
const STOCK = { patch: 'stock', drivers: [], parameters: {} };

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'mmrace-cache-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

function onlyFile(root: string): string {
  const [name = '', ...more] = readdirSync(join(root, 'shapes'));
  assert.deepEqual(more, []);
  return join(root, 'shapes', name);
}

test('what was put is there when the cache is opened again, for the same question only', (t) => {
  const root = folder(t);
  openShapeCache(root, STOCK, 300).put(LOAD, HOLDS);
  assert.deepEqual(openShapeCache(root, STOCK, 300).get(LOAD), HOLDS);
  assert.equal(openShapeCache(root, STOCK, 300).get(STORE), 'unknown');
  assert.equal(openShapeCache(root, { ...STOCK, kernel: '6.1' }, 300).get(LOAD), 'unknown');
  assert.equal(
    openShapeCache(root, { ...STOCK, patch: 'validity-is-boolean' }, 300).get(LOAD),
    'unknown',
  );
  assert.equal(openShapeCache('none', STOCK, 300).get(LOAD), 'unknown');
});

test('what holds does so with any budget, what is unknown is asked again with a larger one', (t) => {
  const root = folder(t);
  const unknown: ShapeRecord = { ...HOLDS, word: 'unknown', why: 'it was stopped' };
  const cache = openShapeCache(root, STOCK, 300);
  cache.put(LOAD, HOLDS);
  cache.put(STORE, unknown);
  assert.deepEqual(openShapeCache(root, STOCK, 100).get(STORE), unknown);
  const larger = openShapeCache(root, STOCK, 301);
  assert.deepEqual(larger.get(LOAD), HOLDS);
  assert.equal(larger.get(STORE), 'unknown');
  larger.put(STORE, HOLDS);
  assert.deepEqual(openShapeCache(root, STOCK, 301).get(STORE), HOLDS);
});

test('a line that was torn or changed is as if it were not there, and the next is good', (t) => {
  const root = folder(t);
  openShapeCache(root, STOCK, 300).put(LOAD, HOLDS);
  const file = onlyFile(root);
  const line = readFileSync(file, 'utf8');
  writeFileSync(file, line.replace('"holds"', '"broken"'));
  assert.equal(openShapeCache(root, STOCK, 300).get(LOAD), 'unknown');
  writeFileSync(file, line);
  appendFileSync(file, line.slice(0, 40));
  const again = openShapeCache(root, STOCK, 300);
  assert.deepEqual(again.get(LOAD), HOLDS);
  again.put(STORE, HOLDS);
  assert.deepEqual(openShapeCache(root, STOCK, 300).get(STORE), HOLDS);
});

test("a user's patch is known by what it says, with what it imports", (t) => {
  const root = folder(t);
  const patch = join(root, 'mine.ts');
  writeFileSync(join(root, 'part.ts'), 'export const part = 1;\n');
  writeFileSync(patch, "import { part } from './part.ts';\nexport const patch = part;\n");
  const asked = { ...STOCK, patch };
  openShapeCache(root, asked, 300).put(LOAD, HOLDS);
  assert.deepEqual(openShapeCache(root, asked, 300).get(LOAD), HOLDS);
  writeFileSync(join(root, 'part.ts'), 'export const part = 2;\n');
  assert.equal(openShapeCache(root, asked, 300).get(LOAD), 'unknown');
});

test('a folder that cannot be written keeps nothing, and nothing fails', (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'shapes'), 'a file where the folder would be');
  const cache = openShapeCache(root, STOCK, 300);
  cache.put(LOAD, HOLDS);
  assert.deepEqual(cache.get(LOAD), HOLDS);
  assert.equal(openShapeCache(root, STOCK, 300).get(LOAD), 'unknown');
});
