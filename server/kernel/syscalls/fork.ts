/** fork(2), the memory half: dup_mmap(), copy_page_range(). Source: kernel/fork.c, mm/memory.c (6.1). */

import { touch } from '../../task/context.ts';
import { type Held, lock, lockNested, unlock } from '../../task/lock.ts';
import { OWNERS_MAX } from '../../task/object-id.ts';
import { writeLock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import { mayWrite, vmProt } from '../fault/vm-page-prot.ts';
import {
  type Copied,
  endProcess,
  type Invalidation,
  type Kernel,
  type LockedPte,
  newProcess,
  type PteCopy,
} from '../kernel.ts';
import { copyPage } from '../memory/copy-page.ts';
import { getPage, hasFlag, maybeDmaPinned, PAGE_ANON } from '../memory/frames.ts';
import { setHugePmd } from '../memory/huge-pmd.ts';
import { type Mm, pinnedObject } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { pageLocked, waitWhileLocked } from '../memory/page-lock.ts';
import { allocPage, putPage } from '../memory/page-references.ts';
import {
  allocPtePage,
  blockOf,
  endOfPtePage,
  findPtePage,
  isHuge,
  nextCovered,
  pteObject,
} from '../memory/page-table.ts';
import {
  hugePteAt,
  mkMigration,
  mkPte,
  mkSwap,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteDirty,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsSwap,
  pteIsZeroPage,
  pteMarkedExclusive,
  pteModify,
  pteNone,
  ptePfn,
  ptePresent,
  pteSwapSlot,
  pteWithFlags,
  pteWithoutFlags,
  pteWrite,
  pteYoung,
} from '../memory/pte.ts';
import { lockedPte } from '../memory/pte-lock.ts';
import { setLockedPte, setPteAt } from '../memory/set-pte.ts';
import { changeSlotUses, slotAt } from '../memory/swap.ts';
import { isCow, isShared } from '../memory/vma.ts';
import { linkForkedVma } from '../memory/vma-adjust.ts';

/**
 * A child with a copy of the address space. Devices mirror the parent; the child has no subscriptions.
 *
 * Takes: mmap_lock of the parent for writing. Yields: yes. Returns: EAGAIN when every number of an address space has
 * been used, as copy_process() does when there may be no more processes; ENOMEM without a frame for the copy of a page.
 */
export function* fork(k: Kernel, parent: Mm): Task<Result<Mm>> {
  if (k.nextMmId === OWNERS_MAX) return fail('EAGAIN');
  const held = yield* writeLock(k.context, 'dup_mmap.mmap_lock', parent.mmapLock);
  const child = newProcess(k);
  child.hasPinned = parent.hasPinned;
  let copied: Copied = 'copied';
  for (const from of parent.vmas.slice()) {
    yield* k.fn.vmaStartWrite(k, parent, from);
    const to: Vma = { ...from, mm: child.id, anonVma: 'none', chain: [] };
    yield* k.fn.anonVmaFork(k, to, from);
    yield* linkForkedVma(k, child, to, from);
    copied = yield* k.fn.copyPageRange(k, to, from, { to: child, from: parent });
    if (copied === 'no memory') break;
  }
  const last = parent.vmas.at(-1);
  const first = parent.vmas[0];
  if (first !== undefined && last !== undefined) {
    yield* k.fn.flushTlbRange(k, parent, { first: first.first, end: last.end });
  }
  mmapWriteUnlock(k.context, parent, held);
  if (copied === 'copied') return ok(child);
  yield* endProcess(k, child);
  return fail('ENOMEM');
}

/**
 * Copies the entries of one mapping. A private mapping that never held an anonymous page is left for faults to
 * fill; any other private one is write-protected as a whole, in one bracket.
 *
 * Holds: mmap_lock of the parent for writing. Takes: callbacks' locks, PTE locks of both.
 */
export function* copyPageRange(
  k: Kernel,
  to: Vma,
  from: Vma,
  mms: { readonly to: Mm; readonly from: Mm },
): Task<Copied> {
  if (from.anonVma === 'none') return 'copied';
  let bracket: Invalidation | 'none' = 'none';
  if (isCow(from)) {
    const started = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mms.from, {
      event: 'protection_page',
      range: { first: from.first, end: from.end },
      owner: 'none',
      blocking: 'blockable',
    });
    if (started.ok) bracket = started.value;
    k.fn.writeProtectSeqCount(k, mms.from);
  }
  let copied: Copied = 'copied';
  for (const block of blocksOf(mms.from, from)) {
    copied = yield* copyBlock(k, to, from, mms, block);
    if (copied === 'no memory') break;
  }
  if (isCow(from)) k.fn.writeProtectSeqCount(k, mms.from);
  if (bracket !== 'none') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket);
  return copied;
}

/** Begin and end of a copy that takes rights to write away: who pins without a lock looks again. */
export function writeProtectSeqCount(k: Kernel, parent: Mm): void {
  touch(k.context, pinnedObject(parent.id), 'write');
  parent.writeProtectSeq += 1;
}

/** The parts of the mapping that have page-table pages. */
function blocksOf(mm: Mm, vma: Vma): PageRange[] {
  const blocks: PageRange[] = [];
  for (let page = nextCovered(mm.table, vma.first, vma.end); page < vma.end; ) {
    const end = endOfPtePage(mm.table, page) < vma.end ? endOfPtePage(mm.table, page) : vma.end;
    blocks.push({ first: page, end });
    page = nextCovered(mm.table, end, vma.end);
  }
  return blocks;
}

function* copyBlock(
  k: Kernel,
  to: Vma,
  from: Vma,
  mms: { readonly to: Mm; readonly from: Mm },
  block: PageRange,
): Task<Copied> {
  if (block.end - block.first === k.ptrsPerPte && (yield* copyHugePmd(k, mms, from, block.first)))
    return 'copied';
  yield* k.fn.splitHugePmd(k, mms.from, block.first);
  const fromPage = findPtePage(mms.from.table, block.first);
  if (fromPage === 'none') return 'copied';
  const toPage = blockOf(mms.to.table, block.first);
  const copy: PteCopy = { to, from, child: mms.to, parent: mms.from, toPage, fromPage };
  let at = block.first;
  while (at < block.end) {
    const toHeld = yield* lock(k.context, 'copy_pte_range.dst_ptl', toPage.ptl);
    const fromHeld = yield* lockNested(k.context, 'copy_pte_range.src_ptl', fromPage.ptl);
    allocPtePage(toHeld, mms.to.table, block.first);
    const stopped = yield* copyPtes(k, copy, { first: at, end: block.end }, toHeld, fromHeld);
    unlock(k.context, fromHeld);
    unlock(k.context, toHeld);
    if (stopped === 'copied' || stopped === 'no memory') return stopped;
    at = stopped.page;
    yield* stopped.resolve();
  }
  return 'copied';
}

/** copy_huge_pmd(): shares the huge page, write-protected. False if there is none, or some part of it is pinned. */
function* copyHugePmd(
  k: Kernel,
  mms: { readonly to: Mm; readonly from: Mm },
  from: Vma,
  page: PageIndex,
): Task<boolean> {
  if (!isHuge(mms.from.table, page)) return false;
  const toBlock = blockOf(mms.to.table, page);
  const fromBlock = blockOf(mms.from.table, page);
  const toHeld = yield* lock(k.context, 'copy_huge_pmd.dst_ptl', toBlock.ptl);
  const fromHeld = yield* lockNested(k.context, 'copy_huge_pmd.src_ptl', fromBlock.ptl);
  const copied = fromBlock.level === 'huge' && mayShareHuge(k, mms.from, fromBlock.huge);
  if (copied) {
    yield willWrite('copy_huge_pmd.copy', pteObject(mms.from.table, page));
    const { huge } = fromBlock;
    const moves = pteIsMigration(huge);
    for (let at = 0; at < k.ptrsPerPte && !moves && !pteIsZeroPage(huge); at += 1) {
      const pfn = ptePfn(hugePteAt(huge, at));
      getPage(k.frames, pfn, 1);
      k.fn.pageTryDupAnonRmap(k, mms.from, pfn);
    }
    const shared = moves ? sharedMigration(from, huge) : withoutWrite(from, huge);
    setHugePmd(k, fromHeld, mms.from, fromBlock, page, shared);
    const child = moves ? shared : pteWithoutFlags(shared, PTE_YOUNG);
    setHugePmd(k, toHeld, mms.to, toBlock, page, child);
  }
  unlock(k.context, fromHeld);
  unlock(k.context, toHeld);
  return copied;
}

function withoutWrite(from: Vma, huge: Pte): Pte {
  return isCow(from) ? pteWithoutFlags(huge, PTE_WRITE) : huge;
}

/** No part is pinned: a pinned part must be copied, which needs small entries. */
function mayShareHuge(k: Kernel, parent: Mm, huge: Pte): boolean {
  touch(k.context, pinnedObject(parent.id), 'read');
  if (pteIsZeroPage(huge) || pteIsMigration(huge) || !parent.hasPinned) return true;
  for (let at = 0; at < k.ptrsPerPte; at += 1) {
    if (maybeDmaPinned(k.frames, ptePfn(hugePteAt(huge, at)))) return false;
  }
  return true;
}

/** Something that needs the PTE locks dropped: an exclusive page that is locked. */
interface Stopped {
  readonly page: PageIndex;
  readonly resolve: () => Task<void>;
}

function* copyPtes(
  k: Kernel,
  copy: PteCopy,
  range: PageRange,
  toHeld: Held<'ptl'>,
  fromHeld: Held<'ptl'>,
): Task<Copied | Stopped> {
  const { parent, child, from, fromPage, toPage } = copy;
  for (let page = range.first; page < range.end; page = (page + 1) as PageIndex) {
    const source: LockedPte = { mm: parent, vma: from, page, ptePage: fromPage, held: fromHeld };
    if (pteNone(lockedPte(source))) continue;
    yield willWrite('copy_pte_range.copy', pteObject(parent.table, page));
    const seen = lockedPte(source);
    if (pteIsDeviceExclusive(seen)) {
      const pfn = ptePfn(seen);
      if (pageLocked(k, pfn)) {
        return { page, resolve: () => waitWhileLocked(k, 'copy_nonpresent_pte.wait', pfn) };
      }
      k.fn.restoreExclusivePte(k, source);
    }
    const now = lockedPte(source);
    const copied = ptePresent(now)
      ? yield* k.fn.copyPresentPte(k, copy, source, now)
      : k.fn.copyNonpresentPte(k, copy, source, now);
    // It had no frame for the copy of a pinned page.
    if (copied === PTE_NONE) return 'no memory';
    setPteAt(k, toHeld, child, toPage, page, copied);
  }
  return 'copied';
}

/** copy_present_pte(): shares the page, or copies it if it is pinned. */
export function* copyPresentPte(k: Kernel, copy: PteCopy, source: LockedPte, pte: Pte): Task<Pte> {
  const { from, to, child, parent } = copy;
  if (!pteIsZeroPage(pte)) {
    const pfn = ptePfn(pte);
    getPage(k.frames, pfn, 1);
    if (hasFlag(k.frames, pfn, PAGE_ANON)) {
      if (k.fn.pageTryDupAnonRmap(k, parent, pfn) === 'pinned') {
        yield* putPage(k, pfn);
        return yield* k.fn.copyPresentPage(k, to, child, source.page, pfn);
      }
    } else k.fn.pageTryDupAnonRmap(k, parent, pfn);
  }
  if (isCow(from) && pteWrite(pte)) {
    yield willWrite('ptep_set_wrprotect.pte', pteObject(parent.table, source.page));
    setLockedPte(k, source, pteWithoutFlags(pte, PTE_WRITE));
  }
  const shared = isCow(from) ? pteWithoutFlags(pte, PTE_WRITE) : pte;
  return pteWithoutFlags(shared, isShared(from) ? PTE_YOUNG | PTE_DIRTY : PTE_YOUNG);
}

/**
 * copy_present_page(): a page that a device may be writing to stays the parent's; the child gets a copy now. Returns:
 * PTE_NONE without a frame for it.
 */
export function* copyPresentPage(
  k: Kernel,
  to: Vma,
  child: Mm,
  page: PageIndex,
  pfn: Pfn,
): Task<Pte> {
  const made = allocPage(k);
  if (made === 'none') return PTE_NONE;
  yield* copyPage(k, pfn, made);
  k.fn.pageAddNewAnonRmap(k, child, to, page, made);
  const write = mayWrite(to) ? PTE_WRITE : 0;
  return pteWithFlags(pteModify(mkPte(made, PTE_YOUNG), vmProt(to)), PTE_DIRTY | write);
}

/** copy_nonpresent_pte(): both sides lose the right to write and the exclusive mark. */
export function copyNonpresentPte(k: Kernel, copy: PteCopy, source: LockedPte, pte: Pte): Pte {
  const { from, parent } = copy;
  if (pteIsSwap(pte)) {
    const slot = slotAt(k.swap, pteSwapSlot(pte));
    if (slot !== 'none') changeSlotUses(k.swap, slot, 1);
    const shared = mkSwap(pteSwapSlot(pte), 'shared');
    if (pteMarkedExclusive(pte)) setLockedPte(k, source, shared);
    return shared;
  }
  if (pteIsMigration(pte)) {
    const readable = sharedMigration(from, pte);
    if (readable === pte) return pte;
    setLockedPte(k, source, readable);
    return readable;
  }
  if (pteIsDevicePrivate(pte)) {
    getPage(k.frames, ptePfn(pte), 1);
    k.fn.pageTryDupAnonRmap(k, parent, ptePfn(pte));
    if (!(isCow(from) && pteWrite(pte))) return pte;
    const readable = pteWithoutFlags(pte, PTE_WRITE);
    setLockedPte(k, source, readable);
    return readable;
  }
  return pte;
}

/** A migration entry that parent and child have: both may only read what comes back, and neither has it alone. */
function sharedMigration(from: Vma, pte: Pte): Pte {
  if (!(isCow(from) && (pteWrite(pte) || pteMarkedExclusive(pte)))) return pte;
  const kept = (pteYoung(pte) ? PTE_YOUNG : 0) | (pteDirty(pte) ? PTE_DIRTY : 0);
  return pteWithFlags(mkMigration(ptePfn(pte), 'readable', pte), kept);
}
