import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  overlaps,
  PAGES_MAX,
  type PageRange,
  pageIndex,
  pagesFrom,
} from '../../vocabulary/address.ts';
import {
  type Interval,
  type IntervalTree,
  insertInterval,
  newIntervalTree,
  overlapping,
  removeInterval,
  sameInterval,
} from './interval-tree.ts';

const EVERYTHING: PageRange = { first: pageIndex(0), end: pageIndex(PAGES_MAX) };

/** Mostly small ranges that touch each other, now and then a huge one or one at the end of the address space. */
const anyRange = fc
  .oneof(
    { weight: 8, arbitrary: fc.tuple(fc.nat(120), fc.integer({ min: 1, max: 40 })) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(PAGES_MAX - 2 ** 20), fc.nat(2 ** 19)) },
    { weight: 1, arbitrary: fc.constant([0, PAGES_MAX] as const) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 1, max: 600 }).map((n) => [PAGES_MAX - n, n] as const),
    },
  )
  .map(([first, pages]) => pagesFrom(pageIndex(first), Math.max(1, pages)));

type Command =
  | { readonly kind: 'insert' | 'query'; readonly range: PageRange }
  | { readonly kind: 'remove'; readonly which: number };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), range: anyRange }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('query' as const), range: anyRange }) },
);

function naive(items: readonly Interval[], range: PageRange): Interval[] {
  return items
    .filter((item) => overlaps(item.range, range))
    .sort((a, b) => a.range.first - b.range.first || a.id - b.id);
}

test('it answers as a list of all intervals would, by address, then by id', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60, size: 'max' }), (commands) => {
      const tree = newIntervalTree();
      const items: Interval[] = [];
      for (const [id, command] of commands.entries()) {
        if (command.kind === 'insert') {
          const item: Interval = { id, range: command.range };
          items.push(item);
          insertInterval(tree, item);
        } else if (command.kind === 'remove') {
          const [item] = items.splice(command.which % Math.max(1, items.length), 1);
          if (item !== undefined) removeInterval(tree, item);
        } else {
          assert.deepEqual(overlapping(tree, command.range), naive(items, command.range));
        }
        assert.equal(tree.size, items.length);
      }
      assert.deepEqual(overlapping(tree, EVERYTHING), naive(items, EVERYTHING));
      for (const item of items) removeInterval(tree, item);
      assert.deepEqual([tree.size, tree.classes.size], [0, 0]);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('removing what is not there changes nothing', () => {
  const tree = newIntervalTree();
  const known: Interval = { id: 1, range: pagesFrom(pageIndex(0), 4) };
  insertInterval(tree, known);
  removeInterval(tree, { id: 2, range: known.range });
  removeInterval(tree, { id: 3, range: pagesFrom(pageIndex(0), 64) });
  assert.deepEqual(overlapping(tree, EVERYTHING), [known]);
  removeInterval(tree, known);
  removeInterval(tree, known);
  assert.equal(tree.size, 0);
});

/** An interval that counts how often a query looks at it. */
class Watched implements Interval {
  readonly id: number;
  readonly #range: PageRange;
  looks = 0;

  constructor(id: number, range: PageRange) {
    this.id = id;
    this.#range = range;
  }

  get range(): PageRange {
    this.looks += 1;
    return this.#range;
  }
}

/** How many intervals a query of `range` looks at, beside `count` intervals of `pages` pages each. */
function visited(count: number, pages: number, range: PageRange): number {
  const tree: IntervalTree<Watched> = newIntervalTree();
  const items: Watched[] = [];
  for (let id = 0; id < count; id += 1) {
    const item = new Watched(id, pagesFrom(pageIndex(2_000 + 2 * id * pages), pages));
    items.push(item);
    insertInterval(tree, item);
  }
  for (const item of items) item.looks = 0;
  overlapping(tree, range);
  return items.filter((item) => item.looks > 0).length;
}

test('subscriptions elsewhere are not looked at, however many they are', () => {
  for (const pages of [1, 3, 64]) {
    for (const count of [10, 1_000, 20_000]) {
      assert.equal(visited(count, pages, pagesFrom(pageIndex(0), 1)), 0, `${count} of ${pages}`);
    }
  }
});

test('of many subscriptions around a page only its neighbours are looked at', () => {
  const middle = pagesFrom(pageIndex(2_000 + 20_000), 1);
  for (const count of [10_000, 20_000]) assert.ok(visited(count, 1, middle) <= 2);
  for (const count of [5_000, 10_000]) assert.ok(visited(count, 4, middle) <= 4);
});

test('a query as wide as the address space looks at each interval once or twice, not at each page', () => {
  const tree: IntervalTree<Watched> = newIntervalTree();
  const item = new Watched(1, pagesFrom(pageIndex(7), 2));
  insertInterval(tree, item);
  item.looks = 0;
  assert.deepEqual(overlapping(tree, EVERYTHING), [item]);
  assert.ok(item.looks <= 4);
});

test('one of many with the same range is found and removed without a look at the others', () => {
  const tree: IntervalTree<Watched> = newIntervalTree();
  const range = pagesFrom(pageIndex(7), 3);
  const items = Array.from({ length: 20_000 }, (_, id) => new Watched(id, range));
  for (const item of items) insertInterval(tree, item);
  for (const item of items) item.looks = 0;
  const wanted: Interval = { id: 9_000, range };
  const [found, other] = [sameInterval(tree, wanted), sameInterval(tree, { id: 30_000, range })];
  assert.deepEqual([found, other], [items[9_000], 'none']);
  removeInterval(tree, wanted);
  assert.equal(sameInterval(tree, wanted), 'none');
  assert.equal(items.filter(({ looks }) => looks > 0).length, 0);
});
