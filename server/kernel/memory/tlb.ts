import type { ObjectId } from '../../task/object-id.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';

/** Entries of one TLB; the oldest goes when it is full. About what a second-level TLB of today holds. */
export const TLB_ENTRIES_MAX = 1_536;

/** What one CPU remembers of a page table entry. Usable until it is flushed, true or not. */
export interface TlbEntry {
  readonly pfn: Pfn;
  readonly access: 'read' | 'write';
  /** The dirty bit is known to be set in the page table; otherwise the first store walks again. */
  readonly dirty: 'dirty' | 'clean';
}

/** The TLB of one CPU thread. Changed by that CPU and by shootdowns. */
export interface Tlb {
  readonly cpu: string;
  readonly object: ObjectId;
  readonly entries: Map<PageIndex, TlbEntry>;
  /** How many entries name a frame; absent means none. */
  readonly frames: Map<Pfn, number>;
}

export function newTlb(cpu: string, object: ObjectId): Tlb {
  return { cpu, object, entries: new Map(), frames: new Map() };
}

export function fillTlb(tlb: Tlb, page: PageIndex, entry: TlbEntry): void {
  dropTlbEntry(tlb, page);
  if (tlb.entries.size === TLB_ENTRIES_MAX) {
    for (const oldest of tlb.entries.keys()) {
      dropTlbEntry(tlb, oldest);
      break;
    }
  }
  tlb.entries.set(page, entry);
  tlb.frames.set(entry.pfn, (tlb.frames.get(entry.pfn) ?? 0) + 1);
}

export function dropTlbEntry(tlb: Tlb, page: PageIndex): void {
  const entry = tlb.entries.get(page);
  if (entry === undefined) return;
  tlb.entries.delete(page);
  const left = (tlb.frames.get(entry.pfn) ?? 1) - 1;
  if (left === 0) tlb.frames.delete(entry.pfn);
  else tlb.frames.set(entry.pfn, left);
}

/** Entries of `range` are gone when it returns. */
export function flushTlb(tlb: Tlb, range: PageRange): void {
  if (range.end - range.first > tlb.entries.size) {
    for (const page of tlb.entries.keys()) {
      if (range.first <= page && page < range.end) dropTlbEntry(tlb, page);
    }
    return;
  }
  for (let page: number = range.first; page < range.end; page += 1) {
    dropTlbEntry(tlb, page as PageIndex);
  }
}
