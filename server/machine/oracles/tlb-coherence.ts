/**
 * Oracle 10: what a CPU remembers of an entry goes with the entry. A task that changes one that a TLB may hold flushes
 * before the lock of its page table is let go of, or has said before that a flush is pending (tlb_flush_pending), so
 * that others who find the entry gone flush as well, or has put it into a batch that is still to be flushed; an entry
 * that only loses rights may wait for the end of a change of mappings, which holds mmap_lock. No entry names another
 * page before the flush. At rest that goes for devices that walk the page table, too.
 *
 * Source: mm/mmu_gather.c, mm/memory.c (wp_page_copy), mm/mremap.c; 60bae7370896, eb66ae030829.
 */
import type { Event } from '../../abi/event.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { ZERO_PFN } from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import { blockOf, readPte } from '../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteDirty,
  pteIsZeroPage,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../../kernel/memory/pte.ts';
import type { Tlb, TlbEntry } from '../../kernel/memory/tlb.ts';
import { inTlbBatch } from '../../kernel/memory/tlb-batch.ts';
import { tlbFlushPending } from '../../kernel/memory/tlb-flush-pending.ts';
import { touch } from '../../task/context.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { frameName, MIRRORED_MM } from './excuses.ts';
import type { Oracle, Watched } from './oracle.ts';

/** What is wrong with an entry that a CPU remembers. 'rights': the frame is the same. */
type Stale = 'frame' | 'rights';

/** An entry was changed while some CPU remembered it. */
interface Suspect {
  readonly stale: Stale;
  /** Who changed it last, and so owes the flush. */
  readonly actor: string;
  readonly task: string;
}

/** By address space. */
type Suspects = Map<number, Map<PageIndex, Suspect>>;

export const tlbCoherence: Oracle = {
  id: 'OR10',
  name: 'TLB coherence',
  asked: 'always',
  watch(watched) {
    const suspects: Suspects = new Map();
    return {
      keeps: { suspects },
      see(event) {
        switch (event.kind) {
          case 'pte':
            followEntry(watched, suspects, event);
            return;
          case 'tlb-flush':
            judgeFlush(watched, suspects, event);
            return;
          case 'invalidate_range_end':
          case 'return':
            judgeUnflushed(watched, suspects, event);
            return;
          default:
        }
      },
      atRest: () => staleAtRest(watched.k),
    };
  },
};

function followEntry(
  watched: Watched,
  suspects: Suspects,
  event: Extract<Event, { kind: 'pte' }>,
): void {
  const { mm: id, page: number, from, to, actor, task } = event;
  const { k } = watched;
  const page = number as PageIndex;
  const mm = k.mms.get(id);
  const suspected = suspects.get(id)?.get(page);
  const remembered = from.state === 'present' || from.state === 'zero' || suspected !== undefined;
  if (mm === undefined || !remembered) return;
  const found = stalest(k, mm, page);
  if (found === 'none') {
    forget(suspects, id, page);
    return;
  }
  const { tlb, entry, stale } = found;
  const maps = to.state === 'present' || to.state === 'zero';
  if (maps && stale === 'frame' && !tlbFlushPending(k, mm)) {
    forget(suspects, id, page);
    const now = to.state === 'present' ? `frame ${frameName(to.pfn as Pfn)}` : 'the zero page';
    const text = `${whereOf(id, page)} becomes ${now} while ${remembers(tlb, entry)}: no flush came between`;
    watched.report({ text, device: '', page });
    return;
  }
  const pages = suspects.get(id) ?? new Map<PageIndex, Suspect>();
  suspects.set(
    id,
    pages.set(page, { stale: suspected?.stale === 'frame' ? 'frame' : stale, actor, task }),
  );
}

/** A flush of what is suspected: it must not come late. */
function judgeFlush(
  watched: Watched,
  suspects: Suspects,
  { mm: id, first, end }: Extract<Event, { kind: 'tlb-flush' }>,
): void {
  const { k } = watched;
  const mm = k.mms.get(id);
  for (const [page, { stale }] of suspects.get(id) ?? []) {
    if (page < first || page >= end || mm === undefined) continue;
    if (stalest(k, mm, page) === 'none') forget(suspects, id, page);
    if (isInTime(k, mm, page, stale)) continue;
    forget(suspects, id, page);
    const text = `${whereOf(id, page)} changed, and the TLBs were flushed only after its lock was let go of`;
    watched.report({ text, device: '', page });
  }
}

/** The task that owes a flush has come to the end of something: it comes no more. */
function judgeUnflushed(
  { k, report }: Watched,
  suspects: Suspects,
  { actor, task }: Pick<Event, 'actor' | 'task'>,
): void {
  for (const [id, pages] of suspects) {
    const mm = k.mms.get(id);
    for (const [page, suspect] of pages) {
      if (mm === undefined || suspect.actor !== actor || suspect.task !== task) continue;
      const found = stalest(k, mm, page);
      if (found !== 'none' && isInTime(k, mm, page, suspect.stale)) continue;
      forget(suspects, id, page);
      if (found === 'none') continue;
      const text = `${whereOf(id, page)} changed, and ${remembers(found.tlb, found.entry)}: no flush came`;
      report({ text, device: '', page });
    }
  }
}

function forget(suspects: Suspects, mm: number, page: PageIndex): void {
  const pages = suspects.get(mm);
  pages?.delete(page);
  if (pages?.size === 0) suspects.delete(mm);
}

/** A flush that comes now, or is still to come, is one that others can rely on. */
function isInTime(k: Kernel, mm: Mm, page: PageIndex, stale: Stale): boolean {
  if (tlbFlushPending(k, mm) || inTlbBatch(k, mm)) return true;
  const { ptl } = blockOf(mm.table, page);
  touch(k.context, ptl.object, 'read');
  if (ptl.holder !== 'none') return true;
  if (stale === 'frame') return false;
  touch(k.context, mm.mmapLock.object, 'read');
  return mm.mmapLock.writer !== 'none';
}

interface Remembered {
  readonly tlb: Tlb;
  readonly entry: TlbEntry;
  readonly stale: Stale;
}

/** The CPU that remembers most of what is not so any more. */
function stalest(k: Kernel, mm: Mm, page: PageIndex): Remembered | 'none' {
  let found: Remembered | 'none' = 'none';
  const pte = readPte(mm.table, page);
  for (const tlb of mm.tlbs) {
    touch(k.context, tlb.object, 'read');
    const entry = tlb.entries.get(page);
    const stale = entry === undefined ? 'none' : staleness(entry, pte);
    if (entry === undefined || stale === 'none') continue;
    if (found === 'none' || stale === 'frame') found = { tlb, entry, stale };
  }
  return found;
}

function staleness(entry: TlbEntry, pte: Pte): Stale | 'none' {
  if (!ptePresent(pte)) return 'frame';
  const pfn = pteIsZeroPage(pte) ? ZERO_PFN : ptePfn(pte);
  if (pfn !== entry.pfn) return 'frame';
  if (pteProtNone(pte) || (entry.access === 'write' && !pteWrite(pte))) return 'rights';
  // A store would not set the dirty bit.
  return entry.dirty === 'dirty' && entry.access === 'write' && !pteDirty(pte) ? 'rights' : 'none';
}

function staleAtRest(k: Kernel): string[] {
  const complaints: string[] = [];
  for (const mm of k.mms.values()) {
    for (const tlb of [...mm.tlbs, ...mm.deviceTlbs]) {
      for (const [page, entry] of tlb.entries) {
        if (staleness(entry, readPte(mm.table, page)) === 'none') continue;
        complaints.push(`${remembers(tlb, entry)} at ${whereOf(mm.id, page)}, which is not so`);
      }
    }
  }
  return complaints;
}

function remembers({ cpu }: Tlb, { pfn, access }: TlbEntry): string {
  return `the TLB of ${cpu} remembers frame ${frameName(pfn)} (${access})`;
}

function whereOf(mm: number, page: PageIndex): string {
  return `${hexAddress(page)}${mm === MIRRORED_MM ? '' : ` of mm ${mm}`}`;
}
