/**
 * Oracle 7: what a page table entry, a TLB entry or a device's entry allows, its mapping allows. A mapping that loses
 * rights takes them away from its entries in a bracket, with mmap_lock held for writing: until that is over an entry
 * may allow more, and is looked at again behind it.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../../kernel/memory/pte.ts';
import { vmaOfEntry } from '../../kernel/memory/vma-adjust.ts';
import { touch } from '../../task/context.ts';
import { hexAddress, type PageIndex } from '../../vocabulary/address.ts';
import { beingInvalidated, MIRRORED_MM, seenEntry } from './excuses.ts';
import { mappedIn } from './mirrors.ts';
import type { Oracle, Watched } from './oracle.ts';

type Rights = 'none' | 'read' | 'write';

const RANK: { readonly [Right in Rights]: number } = { none: 0, read: 1, write: 2 };

/** Entries that allow more than their mapping while a task is about to change them. */
type Excused = Map<number, Set<PageIndex>>;

export const rights: Oracle = {
  id: 'OR7',
  name: 'rights',
  asked: 'always',
  watch(watched) {
    const excused: Excused = new Map();
    const { k, mirrors } = watched;
    const check = (mm: number, page: PageIndex): void => checkPage(watched, excused, mm, page);
    return {
      keeps: { excused },
      see(event) {
        switch (event.kind) {
          case 'pte':
            if (event.to.state === 'present' || event.to.state.startsWith('device-')) {
              check(event.mm, event.page as PageIndex);
            }
            return;
          case 'mirror':
            if (event.to.state === 'mapped') check(MIRRORED_MM, event.page as PageIndex);
            return;
          case 'vma': {
            const mm = k.mms.get(event.mm);
            if (mm === undefined || event.change.startsWith('mmap')) return;
            const range = { first: event.first as PageIndex, end: event.end as PageIndex };
            for (const page of pagesWithEntry(mm, range)) check(event.mm, page);
            if (event.mm !== MIRRORED_MM) return;
            for (const table of mirrors.byDevice.values()) {
              for (const page of mappedIn(table, range)) check(MIRRORED_MM, page);
            }
            return;
          }
          case 'invalidate_range_end':
          case 'return':
            for (const [mm, pages] of excused) for (const page of [...pages]) check(mm, page);
            return;
          default:
        }
      },
    };
  },
};

/** Pages of the range that a CPU can reach by the page table or by a TLB. */
function pagesWithEntry(
  mm: Mm,
  { first, end }: { readonly first: PageIndex; readonly end: PageIndex },
): Set<PageIndex> {
  const pages = new Set<PageIndex>();
  for (const [number, { ptes, level }] of mm.table.pages) {
    if (level === 'none') continue;
    const begins = number * ptes.length;
    const last = Math.min(end, begins + ptes.length);
    for (let page = Math.max(first, begins); page < last; page += 1) pages.add(page as PageIndex);
  }
  for (const tlb of mm.tlbs) {
    for (const page of tlb.entries.keys()) if (first <= page && page < end) pages.add(page);
  }
  return pages;
}

function checkPage(watched: Watched, excused: Excused, id: number, page: PageIndex): void {
  const { k, report } = watched;
  const mm = k.mms.get(id);
  if (mm === undefined) {
    excused.delete(id);
    return;
  }
  const mapping = mappingRights(k, mm, page);
  const found = whatAllowsMore(watched, mm, page, mapping);
  const pages = excused.get(id);
  if (found === 'nothing') {
    pages?.delete(page);
    return;
  }
  if (aboutToChange(k, mm, page)) {
    if (pages === undefined) excused.set(id, new Set([page]));
    else pages.add(page);
    return;
  }
  pages?.delete(page);
  const where = `${hexAddress(page)}${id === MIRRORED_MM ? '' : ` of mm ${id}`}`;
  const owed = mapping === 'none' ? 'the mapping allows nothing' : `the mapping allows ${mapping}`;
  const text = `${found.what} allows ${found.allows} at ${where}, where ${owed}, and no invalidation is under way`;
  report({ text, device: found.device, page });
}

interface Found {
  readonly what: string;
  readonly allows: Rights;
  readonly device: string;
}

function whatAllowsMore(
  watched: Watched,
  mm: Mm,
  page: PageIndex,
  mapping: Rights,
): Found | 'nothing' {
  if (mapping === 'write') return 'nothing';
  const { k, mirrors } = watched;
  const more = (allows: Rights): boolean => RANK[allows] > RANK[mapping];
  const pte = entryRights(readPte(mm.table, page));
  if (more(pte)) return { what: 'the page table entry', allows: pte, device: '' };
  for (const tlb of mm.tlbs) {
    touch(k.context, tlb.object, 'read');
    const access = tlb.entries.get(page)?.access ?? 'none';
    if (more(access)) return { what: `the TLB of ${tlb.cpu}`, allows: access, device: '' };
  }
  if (mm.id !== MIRRORED_MM) return 'nothing';
  for (const device of mirrors.byDevice.keys()) {
    const entry = seenEntry(watched, device, page);
    if (entry.state === 'none') continue;
    const allows = entry.access === 'read' ? 'read' : 'write';
    if (more(allows)) return { what: `the entry of ${device}`, allows, device };
  }
  return 'nothing';
}

function mappingRights(k: Kernel, mm: Mm, page: PageIndex): Rights {
  const vma = vmaOfEntry(k, mm, page);
  if (vma === 'none' || vma.prot === 'none') return 'none';
  return vma.prot === 'rw' ? 'write' : 'read';
}

/** That a page is a device's is no right to read it: lookups ask the mapping. Whether it may be written stands here. */
function entryRights(pte: Pte): Rights {
  if (ptePresent(pte)) {
    if (pteProtNone(pte)) return 'none';
    return pteWrite(pte) ? 'write' : 'read';
  }
  const ofDevice = pteIsDevicePrivate(pte) || pteIsDeviceExclusive(pte);
  return ofDevice && pteWrite(pte) ? 'write' : 'none';
}

/** A bracket around the page is open, or the task that changes mappings is not done. */
function aboutToChange(k: Kernel, mm: Mm, page: PageIndex): boolean {
  touch(k.context, mm.mmapLock.object, 'read');
  return mm.mmapLock.writer !== 'none' || beingInvalidated(k, mm.id, page);
}
