import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../../patches/patches.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN } from '../../scenario/scenario-plan.ts';
import { askShape } from './ask-shapes.ts';
import { matrixOf, matrixText } from './shape-matrix.ts';
import { SHAPE_MEMORIES } from './shape-memory.ts';
import { type Shape, shapesOf } from './shapes.ts';

const SHAPES = [...shapesOf(2)];
const BUDGET = { executions: 300, seconds: 60, clock: () => 0 };

function named(name: string): Shape {
  const shape = SHAPES.find((one) => one.name === name);
  assert.ok(shape !== undefined, name);
  return shape;
}

function askedWith(patch: string, name: string) {
  const found = PATCHES.get(patch);
  assert.ok(found !== undefined);
  return askShape(named(name), { ...AS_WRITTEN, patches: [found] }, BUDGET);
}

test('each shape is there once, and each is a scenario that a file could hold', () => {
  assert.equal(new Set(SHAPES.map(({ name }) => name)).size, SHAPES.length);
  assert.ok(SHAPES.length > 5_000);
  for (const { scenario, name } of SHAPES.filter((_, at) => at % 97 === 0)) {
    const read = readScenario(JSON.stringify(scenario), name);
    assert.deepEqual(read.ok ? [] : read.problems, [], name);
  }
});

test('every memory can be set up, and holds with two loads', () => {
  for (const { id } of SHAPE_MEMORIES) {
    const answer = askShape(named(`${id}:load+load`), AS_WRITTEN, BUDGET);
    assert.notEqual(answer.word, 'broken', `${id}: ${answer.why}`);
  }
});

test('the second invalidation is missed in the smallest shape of the seed race', () => {
  const answer = askedWith('remove-second-invalidate', 'none:fault-read+migrate');
  assert.equal(answer.word, 'appeared');
  assert.match(answer.why, /^OR1/);
});

test('a shape in which nothing of the patch runs is not reached, and no reason to call it safe', () => {
  assert.equal(askedWith('remove-second-invalidate', 'none:load+store').word, 'not reached');
});

test('a cell of the matrix tells the worst of all memories', () => {
  const [holds, appears] = [
    askedWith('remove-second-invalidate', 'none:fault-read+migrate'),
    { ...askedWith('remove-second-invalidate', 'none:fault-read+migrate'), word: 'holds' as const },
  ];
  const matrix = matrixOf([holds, appears]);
  assert.equal(matrix.get('fault-read+migrate')?.asked, 2);
  assert.match(matrixText(matrix, ['fault-read', 'migrate']), /^migrate +A/m);
});
