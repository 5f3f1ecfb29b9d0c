import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { objectId } from '../../task/object-id.ts';
import { type PageIndex, type Pfn, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { dropTlbEntry, fillTlb, flushTlb, newTlb, TLB_ENTRIES_MAX, type TlbEntry } from './tlb.ts';

function entry(pfn: number): TlbEntry {
  return { pfn: pfn as Pfn, access: 'read', dirty: 'clean' };
}

function tlb() {
  return newTlb('cpu0', objectId('tlb', 0, 1));
}

test('a full TLB forgets the entry that was filled first', () => {
  const full = tlb();
  for (let page = 0; page <= TLB_ENTRIES_MAX; page += 1)
    fillTlb(full, pageIndex(page), entry(page));
  assert.equal(full.entries.size, TLB_ENTRIES_MAX);
  assert.deepEqual([full.entries.has(pageIndex(0)), full.entries.has(pageIndex(1))], [false, true]);
  fillTlb(full, pageIndex(1), entry(1));
  fillTlb(full, pageIndex(TLB_ENTRIES_MAX + 1), entry(1));
  assert.deepEqual([full.entries.has(pageIndex(1)), full.entries.has(pageIndex(2))], [true, false]);
});

type Command =
  | { readonly kind: 'fill'; readonly page: number; readonly pfn: number }
  | { readonly kind: 'drop'; readonly page: number }
  | { readonly kind: 'flush'; readonly page: number; readonly pages: number };

const page = fc.nat(30);
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fill' as const), page, pfn: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), page }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('flush' as const),
      page,
      pages: fc.integer({ min: 1, max: 40 }),
    }),
  },
);

test('it holds what was filled and not flushed since, and knows how many entries name a frame', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 80, size: 'max' }), (commands) => {
      const real = tlb();
      const model = new Map<number, number>();
      for (const command of commands) {
        const first = command.page as PageIndex;
        if (command.kind === 'fill') {
          fillTlb(real, first, entry(command.pfn));
          model.set(first, command.pfn);
        } else if (command.kind === 'drop') {
          dropTlbEntry(real, first);
          model.delete(first);
        } else {
          flushTlb(real, pagesFrom(first, command.pages));
          for (let at = 0; at < command.pages; at += 1) model.delete(first + at);
        }
        const named = new Map<number, number>();
        for (const pfn of model.values()) named.set(pfn, (named.get(pfn) ?? 0) + 1);
        assert.deepEqual(new Map(real.frames), named);
      }
      assert.deepEqual(new Map([...real.entries].map(([at, { pfn }]) => [at, pfn])), model);
    }),
    { numRuns: 200, seed: 1 },
  );
});
