import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyVma, type SeenVma, type VmaChange } from './vmas.ts';

const PAGES = 24;

const change: fc.Arbitrary<VmaChange> = fc
  .record({
    at: fc.integer({ min: 0, max: PAGES - 1 }),
    pages: fc.integer({ min: 1, max: 8 }),
    verb: fc.constantFrom('mmap anon-private', 'munmap', 'mprotect', 'mremap'),
    prot: fc.constantFrom('r', 'rw'),
  })
  .map(({ at, pages, verb, prot }) => ({
    mm: 0,
    first: at,
    end: Math.min(PAGES, at + pages),
    change: verb,
    prot: verb === 'munmap' ? 'none' : prot,
  }));

/** What one page at a time would come to. */
function byPage(changes: readonly VmaChange[]): string[] {
  const pages = Array.from({ length: PAGES }, () => '');
  for (const { first, end, prot, change: verb } of changes) {
    for (let page = first; page < end; page += 1) pages[page] = verb === 'munmap' ? '' : prot;
  }
  return pages;
}

test('mappings say of each page what the last change of it has said, and never overlap', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      let vmas: readonly SeenVma[] = [];
      for (const each of changes) vmas = applyVma(vmas, each);
      const shown = Array.from({ length: PAGES }, (_, page) => {
        const found = vmas.filter(({ first, end }) => first <= page && page < end);
        assert.ok(found.length <= 1, `page ${page} is mapped ${found.length} times`);
        return found[0]?.prot ?? '';
      });
      assert.deepEqual(shown, byPage(changes));
    }),
  );
});
