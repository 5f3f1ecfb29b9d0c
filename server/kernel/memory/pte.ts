/**
 * A page table entry, packed into one u32: kind (4 bits), frame or swap slot (24), four flags. The union view
 * (PteView) is what leaves the kernel; inside, entries are numbers, because a million of them must fit.
 *
 * Models: x86-64 entries of the lowest level (arch/x86/include/asm/pgtable.h, include/linux/swapops.h).
 * Leaves out: soft-dirty, uffd-wp, protection keys, NUMA hints.
 */

import type { PteView } from '../../abi/event.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Brand } from '../../vocabulary/brand.ts';

export type Pte = Brand<number, 'Pte'>;

/** Frames are numbered below this: 64 GiB of memory, system and devices together. */
export const PFN_BITS = 24;
const PFN_SHIFT = 4;
const KIND_SHIFT = 28;
const PFN_MASK = 2 ** PFN_BITS - 1;

export const PTE_WRITE = 1;
export const PTE_DIRTY = 2;
export const PTE_YOUNG = 4;
/** Present and zero entries: PROT_NONE. Swap and migration entries: the page was anon-exclusive. */
const PTE_MARK = 8;

const KIND_PRESENT = 1;
const KIND_ZERO = 2;
const KIND_MIGRATION = 3;
const KIND_DEVICE_PRIVATE = 4;
const KIND_DEVICE_EXCLUSIVE = 5;
const KIND_SWAP = 6;
const KIND_POISON = 7;

export type PteKind =
  | 'none'
  | 'present'
  | 'zero'
  | 'migration'
  | 'device-private'
  | 'device-exclusive'
  | 'swap'
  | 'poison';

const KINDS: readonly PteKind[] = [
  'none',
  'present',
  'zero',
  'migration',
  'device-private',
  'device-exclusive',
  'swap',
  'poison',
];

export const PTE_NONE = 0 as Pte;
export const PTE_POISON = pack(KIND_POISON, 0, 0);

function pack(kind: number, frame: number, flags: number): Pte {
  return (((kind << KIND_SHIFT) | (frame << PFN_SHIFT) | flags) >>> 0) as Pte;
}

export function pteKind(pte: Pte): PteKind {
  return KINDS[pte >>> KIND_SHIFT] ?? 'none';
}

/** The frame of a present, migration, device-private or device-exclusive entry. */
export function ptePfn(pte: Pte): Pfn {
  return ((pte >>> PFN_SHIFT) & PFN_MASK) as Pfn;
}

export function pteSwapSlot(pte: Pte): number {
  return (pte >>> PFN_SHIFT) & PFN_MASK;
}

export function pteNone(pte: Pte): boolean {
  return pte === 0;
}

/** pte_present(): a page or the zero page, PROT_NONE included. */
export function ptePresent(pte: Pte): boolean {
  const kind = pte >>> KIND_SHIFT;
  return kind === KIND_PRESENT || kind === KIND_ZERO;
}

export function pteIsZeroPage(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_ZERO;
}

export function pteIsMigration(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_MIGRATION;
}

export function pteIsDevicePrivate(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_DEVICE_PRIVATE;
}

export function pteIsDeviceExclusive(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_DEVICE_EXCLUSIVE;
}

export function pteIsSwap(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_SWAP;
}

export function pteIsPoison(pte: Pte): boolean {
  return pte >>> KIND_SHIFT === KIND_POISON;
}

export function pteWrite(pte: Pte): boolean {
  return (pte & PTE_WRITE) !== 0;
}

export function pteDirty(pte: Pte): boolean {
  return (pte & PTE_DIRTY) !== 0;
}

export function pteYoung(pte: Pte): boolean {
  return (pte & PTE_YOUNG) !== 0;
}

/** A present entry that grants nothing: the mapping is PROT_NONE. */
export function pteProtNone(pte: Pte): boolean {
  return ptePresent(pte) && (pte & PTE_MARK) !== 0;
}

/** The exclusive mark of a swap or migration entry (pte_swp_exclusive, readable-exclusive migration entries). */
export function pteMarkedExclusive(pte: Pte): boolean {
  return (pte & PTE_MARK) !== 0;
}

export function mkPte(pfn: Pfn, flags: number): Pte {
  return pack(KIND_PRESENT, pfn, flags);
}

export function mkZeroPte(): Pte {
  return pack(KIND_ZERO, 0, 0);
}

export type Writability = 'writable' | 'readable';

export function mkDevicePrivate(pfn: Pfn, writability: Writability): Pte {
  return pack(KIND_DEVICE_PRIVATE, pfn, writability === 'writable' ? PTE_WRITE : 0);
}

export function mkDeviceExclusive(pfn: Pfn, writability: Writability): Pte {
  return pack(KIND_DEVICE_EXCLUSIVE, pfn, writability === 'writable' ? PTE_WRITE : 0);
}

export type MigrationKind = 'writable' | 'readable-exclusive' | 'readable';

/** Which migration entry replaces `pte`, so that what it allowed comes back with the page. */
export function migrationKindFor(pte: Pte, sharing: 'exclusive' | 'shared'): MigrationKind {
  if (pteWrite(pte)) return 'writable';
  return sharing === 'exclusive' ? 'readable-exclusive' : 'readable';
}

const MIGRATION_MARK: { readonly [Kind in MigrationKind]: number } = {
  writable: PTE_WRITE,
  'readable-exclusive': PTE_MARK,
  readable: 0,
};

/** Keeps the young and dirty bits of `from`, as entries of x86 do since 6.1. */
export function mkMigration(pfn: Pfn, kind: MigrationKind, from: Pte): Pte {
  const kept = ptePresent(from) ? from & (PTE_YOUNG | PTE_DIRTY) : 0;
  return pack(KIND_MIGRATION, pfn, MIGRATION_MARK[kind] | kept);
}

export function migrationKind(pte: Pte): MigrationKind {
  if (pteWrite(pte)) return 'writable';
  return pteMarkedExclusive(pte) ? 'readable-exclusive' : 'readable';
}

export function mkSwap(slot: number, sharing: 'exclusive' | 'shared'): Pte {
  return pack(KIND_SWAP, slot, sharing === 'exclusive' ? PTE_MARK : 0);
}

export function pteWithFlags(pte: Pte, flags: number): Pte {
  return ((pte | flags) >>> 0) as Pte;
}

export function pteWithoutFlags(pte: Pte, flags: number): Pte {
  return ((pte & ~flags) >>> 0) as Pte;
}

/** pte_modify(): gives a present entry the rights of `prot`, without making it writable where COW must look. */
export function pteModify(
  pte: Pte,
  prot: { readonly none: boolean; readonly write: boolean },
): Pte {
  const cleared = pteWithoutFlags(pte, PTE_WRITE | PTE_MARK);
  return pteWithFlags(cleared, (prot.none ? PTE_MARK : 0) | (prot.write ? PTE_WRITE : 0));
}

/** What the small entry number `at` (from 0) of a huge entry would be. */
export function hugePteAt(huge: Pte, at: number): Pte {
  return pteIsZeroPage(huge) ? huge : ((huge + at * 2 ** PFN_SHIFT) as Pte);
}

/** The view that leaves the kernel. */
export function viewPte(pte: Pte): PteView {
  const state = pteKind(pte);
  switch (state) {
    case 'none':
    case 'zero':
    case 'poison':
      return { state };
    case 'swap':
      return { state, slot: pteSwapSlot(pte) };
    case 'present':
    case 'migration':
    case 'device-private':
    case 'device-exclusive':
      return { state, pfn: ptePfn(pte), access: pteWrite(pte) ? 'write' : 'read' };
  }
}
