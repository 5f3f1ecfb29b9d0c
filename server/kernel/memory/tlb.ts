import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';
import type { ObjectId } from '../../task/object-id.ts';

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
}

export function newTlb(cpu: string, object: ObjectId): Tlb {
  return { cpu, object, entries: new Map() };
}

/** Entries of `range` are gone when it returns. */
export function flushTlb(tlb: Tlb, range: PageRange): void {
  if (range.end - range.first > tlb.entries.size) {
    for (const page of tlb.entries.keys()) {
      if (range.first <= page && page < range.end) tlb.entries.delete(page);
    }
    return;
  }
  for (let page: number = range.first; page < range.end; page += 1) {
    tlb.entries.delete(page as PageIndex);
  }
}
