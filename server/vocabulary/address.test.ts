import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressOf,
  contains,
  hexAddress,
  intersection,
  overlaps,
  PAGE_SIZE,
  PAGES_MAX,
  type PageRange,
  pageCount,
  pageIndex,
  pageOf,
  pageRange,
  pagesFrom,
  TASK_SIZE,
  virtualAddress,
  withoutRange,
  withRange,
} from './address.ts';
import { KernelBug } from './invariant.ts';
import type { RuleId } from './rules.ts';

function breaks(rule: RuleId, act: () => unknown): void {
  assert.throws(act, (error) => error instanceof KernelBug && error.rule === rule);
}

test('[VA1] an address or a page that is not a whole number is refused', () => {
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    breaks('VA1', () => virtualAddress(value));
    breaks('VA1', () => pageIndex(value));
  }
});

test('[VA2] user addresses end at 2^47; only the end of a range may name that page', () => {
  assert.equal(virtualAddress(TASK_SIZE - 1), TASK_SIZE - 1);
  breaks('VA2', () => virtualAddress(TASK_SIZE));
  breaks('VA2', () => virtualAddress(-1));
  assert.equal(pageIndex(PAGES_MAX), PAGES_MAX);
  breaks('VA2', () => pageIndex(PAGES_MAX + 1));
  breaks('VA2', () => pageIndex(-1));
});

test('[VA3] an empty or backward range is refused', () => {
  breaks('VA3', () => pageRange(pageIndex(4), pageIndex(4)));
  breaks('VA3', () => pageRange(pageIndex(5), pageIndex(4)));
  breaks('VA3', () => pagesFrom(pageIndex(4), 0));
});

test('addresses and pages convert both ways', () => {
  const address = virtualAddress(0x1_0020_0123);
  assert.equal(pageOf(address), 0x100200);
  assert.equal(addressOf(pageOf(address)), 0x1_0020_0000);
  assert.equal(hexAddress(pageOf(address)), '0x100200000');
  assert.equal(pageOf(virtualAddress(TASK_SIZE - 1)), TASK_SIZE / PAGE_SIZE - 1);
});

const range = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 6 }))
  .map(([first, count]) => pagesFrom(pageIndex(first), count));
const page = fc.integer({ min: 0, max: 20 }).map(pageIndex);

test('ranges are half-open: what they contain is what they count', () => {
  fc.assert(
    fc.property(range, (pages) => {
      const inside = Array.from({ length: 30 }, (_, at) => pageIndex(at)).filter((at) =>
        contains(pages, at),
      );
      assert.equal(inside.length, pageCount(pages));
      assert.equal(inside[0], pages.first);
      assert.ok(!contains(pages, pages.end));
    }),
    { seed: 1 },
  );
});

test('two ranges overlap exactly if some page is in both, and that is their intersection', () => {
  fc.assert(
    fc.property(range, range, page, (a, b, at) => {
      const common = intersection(a, b);
      assert.equal(common !== 'nothing', overlaps(a, b));
      assert.equal(
        common !== 'nothing' && contains(common, at),
        contains(a, at) && contains(b, at),
      );
    }),
    { seed: 1 },
  );
});

test('ranges that come and go are the pages that were added last, in as few ranges as can be', () => {
  const range = fc
    .tuple(fc.nat(20), fc.integer({ min: 1, max: 6 }))
    .map(([first, count]) => pagesFrom(pageIndex(first), count));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), range)), (changes) => {
      let ranges: readonly PageRange[] = [];
      const pages = new Set<number>();
      for (const [comes, one] of changes) {
        ranges = comes ? withRange(ranges, one) : withoutRange(ranges, one);
        for (let page: number = one.first; page < one.end; page += 1) {
          if (comes) pages.add(page);
          else pages.delete(page);
        }
      }
      const has = (page: number) => ranges.some((each) => contains(each, pageIndex(page)));
      for (let page = 0; page < 32; page += 1) assert.equal(has(page), pages.has(page));
      for (const [at, { first }] of ranges.slice(1).entries()) {
        assert.ok((ranges[at]?.end ?? 0) < first);
      }
    }),
  );
});
