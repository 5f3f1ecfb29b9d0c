import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShapeWord } from '../../report/catalogue.ts';
import { matrixOf, matrixText } from './shape-matrix.ts';
import { likelyFirst } from './shape-order.ts';
import { shapeNamed } from './shapes.ts';

const SHAPES = ['none:load', 'none:load+load', 'cow:load+load', 'none:load+store'].map(shapeNamed);

function answer(name: string, word: ShapeWord) {
  return { shape: shapeNamed(name), word, executions: 1, why: '', called: [] };
}

test('a cell has the worst of all memories, and what is missing in it is not called safe', () => {
  const cells = matrixOf(SHAPES, [
    answer('none:load', 'not reached'),
    answer('none:load+load', 'holds'),
    answer('none:load+store', 'appeared'),
  ]);
  assert.deepEqual(
    cells.map(({ operations, verdict, shapes, asked, reached }) => {
      return [operations.join('+'), verdict, shapes, asked, reached];
    }),
    [
      ['load', 'not reached', 1, 1, 0],
      ['load+load', 'not asked', 2, 1, 1],
      ['load+store', 'appeared', 1, 1, 1],
    ],
  );
  const [load, store] = matrixText(cells, ['load', 'store']).split('\n');
  assert.equal(load, 'load  - |');
  assert.equal(store, 'store   | A');
});

test('shapes with an operation that reaches the patch alone are asked first', () => {
  const names = ['none:load+store', 'none:load+munmap', 'cow:load+munmap', 'none:load+load'];
  const ordered = likelyFirst(names.map(shapeNamed), ({ name }) => name === 'none:munmap');
  assert.equal(ordered[0]?.name, 'none:load+munmap');
  assert.deepEqual(ordered.map(({ name }) => name).sort(), names.toSorted());
});
