import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pfn } from '../../vocabulary/address.ts';
import {
  type MigrationKind,
  migrationKind,
  migrationKindFor,
  mkDeviceExclusive,
  mkDevicePrivate,
  mkMigration,
  mkPte,
  mkSwap,
  mkZeroPte,
  PFN_BITS,
  PTE_DIRTY,
  PTE_NONE,
  PTE_POISON,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteDirty,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsPoison,
  pteIsSwap,
  pteIsZeroPage,
  pteKind,
  pteMarkedExclusive,
  pteModify,
  pteNone,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteSwapSlot,
  pteWithFlags,
  pteWithoutFlags,
  pteWrite,
  pteYoung,
  viewPte,
} from './pte.ts';

const RUNS = { numRuns: 300, seed: 1 };
const anyPfn = fc.oneof(
  fc.integer({ min: 0, max: 2 ** PFN_BITS - 1 }),
  fc.constantFrom(0, 2 ** PFN_BITS - 1),
) as fc.Arbitrary<Pfn>;
const anyFlags = fc
  .subarray([PTE_WRITE, PTE_DIRTY, PTE_YOUNG])
  .map((set) => set.reduce((all, flag) => all | flag, 0));
const anyWritability = fc.constantFrom('writable' as const, 'readable' as const);
const anyMigrationKind: fc.Arbitrary<MigrationKind> = fc.constantFrom(
  'writable',
  'readable-exclusive',
  'readable',
);

/** Each predicate on an entry; of the kinds exactly one holds. */
const KINDS: readonly ((pte: Pte) => boolean)[] = [
  pteNone,
  (pte) => ptePresent(pte) && !pteIsZeroPage(pte),
  pteIsZeroPage,
  pteIsMigration,
  pteIsDevicePrivate,
  pteIsDeviceExclusive,
  pteIsSwap,
  pteIsPoison,
];

const anyPte: fc.Arbitrary<Pte> = fc.oneof(
  fc.constantFrom(PTE_NONE, PTE_POISON, mkZeroPte()),
  fc.tuple(anyPfn, anyFlags).map(([pfn, flags]) => mkPte(pfn, flags)),
  fc.tuple(anyPfn, anyWritability).map(([pfn, write]) => mkDevicePrivate(pfn, write)),
  fc.tuple(anyPfn, anyWritability).map(([pfn, write]) => mkDeviceExclusive(pfn, write)),
  fc.tuple(anyPfn, anyMigrationKind).map(([pfn, kind]) => mkMigration(pfn, kind, PTE_NONE)),
  fc
    .tuple(anyPfn, fc.constantFrom('exclusive' as const, 'shared' as const))
    .map(([slot, sharing]) => mkSwap(slot, sharing)),
);

test('a present entry gives back its frame and its flags, up to the largest frame', () => {
  fc.assert(
    fc.property(anyPfn, anyFlags, (pfn, flags) => {
      const pte = mkPte(pfn, flags);
      assert.equal(ptePfn(pte), pfn);
      assert.equal(pteWrite(pte), (flags & PTE_WRITE) !== 0);
      assert.equal(pteDirty(pte), (flags & PTE_DIRTY) !== 0);
      assert.equal(pteYoung(pte), (flags & PTE_YOUNG) !== 0);
      assert.ok(!pteProtNone(pte));
      assert.deepEqual(viewPte(pte), {
        state: 'present',
        pfn,
        access: pteWrite(pte) ? 'write' : 'read',
      });
    }),
    RUNS,
  );
});

test('device and swap entries give back what they were made of', () => {
  fc.assert(
    fc.property(anyPfn, anyWritability, (pfn, writability) => {
      for (const pte of [mkDevicePrivate(pfn, writability), mkDeviceExclusive(pfn, writability)]) {
        assert.deepEqual([ptePfn(pte), pteWrite(pte)], [pfn, writability === 'writable']);
        assert.ok(!ptePresent(pte));
      }
      assert.deepEqual(viewPte(mkSwap(pfn, 'shared')), { state: 'swap', slot: pfn });
      assert.equal(pteSwapSlot(mkSwap(pfn, 'exclusive')), pfn);
      assert.deepEqual(
        [pteMarkedExclusive(mkSwap(pfn, 'exclusive')), pteMarkedExclusive(mkSwap(pfn, 'shared'))],
        [true, false],
      );
    }),
    RUNS,
  );
});

test('a migration entry remembers what the entry allowed, and whether it was young and dirty', () => {
  fc.assert(
    fc.property(anyPfn, anyFlags, fc.constantFrom('exclusive', 'shared'), (pfn, flags, sharing) => {
      const before = mkPte(pfn, flags);
      const kind = migrationKindFor(before, sharing);
      const entry = mkMigration(pfn, kind, before);
      assert.deepEqual([ptePfn(entry), migrationKind(entry)], [pfn, kind]);
      assert.deepEqual([pteYoung(entry), pteDirty(entry)], [pteYoung(before), pteDirty(before)]);
      assert.equal(kind === 'writable', pteWrite(before));
      if (kind !== 'writable') assert.equal(kind === 'readable-exclusive', sharing === 'exclusive');
    }),
    RUNS,
  );
});

test('every entry is of exactly one kind, an unsigned 32-bit number, and has a view of that kind', () => {
  fc.assert(
    fc.property(anyPte, (pte) => {
      assert.ok(Number.isInteger(pte) && pte >= 0 && pte < 2 ** 32);
      assert.equal(KINDS.filter((is) => is(pte)).length, 1);
      assert.equal(viewPte(pte).state, pteKind(pte));
      assert.equal(new Uint32Array([pte])[0], pte);
    }),
    RUNS,
  );
});

test('setting and clearing flags changes neither kind nor frame', () => {
  fc.assert(
    fc.property(anyPfn, anyFlags, anyFlags, (pfn, before, flags) => {
      const pte = mkPte(pfn, before);
      const more = pteWithFlags(pte, flags);
      assert.deepEqual([pteKind(more), ptePfn(more)], ['present', pfn]);
      assert.equal(pteWithoutFlags(more, flags), mkPte(pfn, before & ~flags));
    }),
    RUNS,
  );
});

test('pte_modify gives and takes the rights of the mapping, and keeps frame, dirty and young', () => {
  fc.assert(
    fc.property(anyPfn, anyFlags, (pfn, flags) => {
      const pte = mkPte(pfn, flags);
      const none = pteModify(pte, { none: true, write: false });
      assert.ok(ptePresent(none) && pteProtNone(none) && !pteWrite(none));
      const back = pteModify(none, { none: false, write: false });
      assert.equal(back, pteWithoutFlags(pte, PTE_WRITE));
      assert.equal(pteModify(back, { none: false, write: true }), pteWithFlags(pte, PTE_WRITE));
      assert.ok(pteProtNone(pteModify(mkZeroPte(), { none: true, write: false })));
    }),
    RUNS,
  );
});

test('of an entry that is not present the mark is not PROT_NONE', () => {
  const marked = mkSwap(3, 'exclusive');
  assert.deepEqual([pteMarkedExclusive(marked), pteProtNone(marked)], [true, false]);
});
