/**
 * Faults that a huge entry can serve. Source: mm/huge_memory.c, do_huge_pmd_anonymous_page(),
 * do_huge_pmd_wp_page() (6.1).
 */

import { lock, unlock } from '../../task/lock.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel.ts';
import { isStable } from '../memory/address-space-stability.ts';
import { allocHugeFrames, hasFlag, PAGE_ANON_EXCLUSIVE, refcount } from '../memory/frames.ts';
import { blockRange, setHugePmd } from '../memory/huge-pmd.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { putPage } from '../memory/page-references.ts';
import { blockOf, pteObject } from '../memory/page-table.ts';
import {
  mkPte,
  mkZeroPte,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pteIsZeroPage,
  pteModify,
  ptePfn,
  ptePresent,
  pteWithFlags,
  pteWrite,
} from '../memory/pte.ts';
import { isRegistered } from '../memory/userfault.ts';
import { isAnonymous } from '../memory/vma.ts';
import { mayWrite, vmProt } from './vm-page-prot.ts';

/**
 * The whole block lies in the mapping, and huge pages are wanted (transhuge_vma_suitable). A monitor fills small pages:
 * what it is asked for is not mapped by one entry.
 */
export function mayBeHuge(k: Kernel, mm: Mm, vma: Vma, page: PageIndex): boolean {
  if (k.thp === 'never' || !isAnonymous(vma)) return false;
  const block = blockRange(k, page);
  const inside = vma.first <= block.first && block.end <= vma.end;
  return inside && !isRegistered(k, mm, block);
}

/**
 * A first touch of a block with nothing in it: the huge zero page for a read, a huge page for a write. Differs: whether
 * the OOM reaper was here is asked in one step with the setting. In Linux it may come in between, for it takes no lock
 * where it finds nothing; then a page that was never there before stays, which harms nobody.
 *
 * Holds: mmap_lock for read. Takes: the PTE lock. Returns: 'fallback' if there is no huge page to be had;
 * 'sigbus' once the OOM reaper was here.
 */
export function* doHugePmdAnonymousPage(
  k: Kernel,
  request: FaultRequest,
): Task<FaultOutcome | 'fallback'> {
  const { mm, vma, page, access } = request;
  const { first } = blockRange(k, page);
  const block = blockOf(mm.table, page);
  if ((yield* k.fn.vmfAnonPrepare(k, request)) === 'retry') return 'retry';
  if (access === 'read') {
    const held = yield* lock(k.context, 'set_huge_zero_page.ptl', block.ptl);
    yield willWrite('set_huge_zero_page.set', pteObject(mm.table, first));
    const empty = block.level === 'none';
    const stable = isStable(k, mm);
    if (empty && stable) {
      setHugePmd(
        k,
        held,
        mm,
        block,
        page,
        pteModify(mkZeroPte(), { ...vmProt(vma), write: false }),
      );
    }
    unlock(k.context, held);
    return empty && !stable ? 'sigbus' : 'done';
  }
  const head = allocHugeFrames(k.frames, k.ptrsPerPte);
  if (head === 'none') return 'fallback';
  const held = yield* lock(k.context, 'do_huge_pmd_anonymous_page.ptl', block.ptl);
  yield willWrite('do_huge_pmd_anonymous_page.set', pteObject(mm.table, first));
  const empty = block.level === 'none';
  const filled = empty && isStable(k, mm);
  if (filled) {
    for (let at = 0; at < k.ptrsPerPte; at += 1) {
      k.fn.pageAddNewAnonRmap(k, mm, vma, (first + at) as PageIndex, (head + at) as Pfn);
    }
    const writable = mayWrite(vma) ? PTE_WRITE | PTE_DIRTY : 0;
    setHugePmd(k, held, mm, block, page, mkPte(head, PTE_YOUNG | writable));
  }
  unlock(k.context, held);
  if (filled) return 'done';
  for (let at = 0; at < k.ptrsPerPte; at += 1) yield* putPage(k, (head + at) as Pfn);
  return empty ? 'sigbus' : 'done';
}

/**
 * A fault on a huge entry: marks it, or makes it writable if the page belongs to this mapping alone, or splits it so
 * that the next fault copies a small page.
 */
export function* doHugePmd(k: Kernel, request: FaultRequest): Task<FaultOutcome> {
  const { mm, vma, page, access } = request;
  const { first } = blockRange(k, page);
  const block = blockOf(mm.table, page);
  const held = yield* lock(k.context, 'do_huge_pmd_wp_page.ptl', block.ptl);
  if (block.level !== 'huge' || !ptePresent(block.huge)) {
    unlock(k.context, held);
    return 'done';
  }
  const seen = block.huge;
  const needsRight = access === 'write' && !pteWrite(seen);
  if (needsRight && (pteIsZeroPage(seen) || !belongsHere(k, vma, ptePfn(seen)))) {
    unlock(k.context, held);
    yield* k.fn.splitHugePmd(k, mm, page);
    return 'done';
  }
  yield willWrite('do_huge_pmd_wp_page.set', pteObject(mm.table, first));
  const write = needsRight && mayWrite(vma) ? PTE_WRITE : 0;
  const touched = access === 'write' ? PTE_YOUNG | PTE_DIRTY | write : PTE_YOUNG;
  setHugePmd(k, held, mm, block, page, pteWithFlags(block.huge, touched));
  unlock(k.context, held);
  return 'done';
}

/** Every part is this mapping's alone, or may become so. */
function belongsHere(k: Kernel, vma: Vma, head: Pfn): boolean {
  for (let at = 0; at < k.ptrsPerPte; at += 1) {
    const part = (head + at) as Pfn;
    if (!hasFlag(k.frames, part, PAGE_ANON_EXCLUSIVE) && refcount(k.frames, part) !== 1)
      return false;
  }
  for (let at = 0; at < k.ptrsPerPte; at += 1) k.fn.pageMoveAnonRmap(k, vma, (head + at) as Pfn);
  return true;
}
