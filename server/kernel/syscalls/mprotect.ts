/** mprotect(2). Source: mm/mprotect.c (6.1). */
import type { Prot } from '../../abi/cpu-api.ts';
import { touch } from '../../task/context.ts';
import { lock, unlock } from '../../task/lock.ts';
import { writeLock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { mayWrite, vmProt } from '../fault/vm-page-prot.ts';
import type { Invalidation, Kernel, LockedPte } from '../kernel.ts';
import { hasFlag, PAGE_ANON, PAGE_ANON_EXCLUSIVE } from '../memory/frames.ts';
import { setHugePmd } from '../memory/huge-pmd.ts';
import { type Mm, vmaListObject } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { blockOf, endOfPtePage, isHuge, nextCovered, pteObject } from '../memory/page-table.ts';
import {
  migrationKind,
  mkMigration,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteDirty,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsZeroPage,
  pteModify,
  pteNone,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWithFlags,
  pteWithoutFlags,
  pteWrite,
  pteYoung,
} from '../memory/pte.ts';
import { lockedPte, lockTable } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import {
  beginTlbFlushPending,
  endTlbFlushPending,
  tlbFlushNested,
} from '../memory/tlb-flush-pending.ts';
import { isShared, linearIndex, vmasIn } from '../memory/vma.ts';

/**
 * Changes mapping after mapping. A hole ends it with ENOMEM; what lies before the hole stays changed.
 *
 * Takes: mmap_lock for writing. Yields: yes.
 */
export function* mprotect(k: Kernel, mm: Mm, range: PageRange, prot: Prot): Task<Result<void>> {
  const held = yield* writeLock(k.context, 'mprotect.mmap_lock', mm.mmapLock);
  let done: PageIndex = range.first;
  for (
    let next = firstVma(mm, range);
    next !== 'none';
    next = firstVma(mm, { ...range, first: done })
  ) {
    if (next.first > done) break;
    const end = next.end < range.end ? next.end : range.end;
    yield* k.fn.mprotectFixup(k, mm, next, { first: done, end }, prot);
    done = end;
    if (done >= range.end) break;
  }
  mmapWriteUnlock(k.context, mm, held);
  return done >= range.end ? OK : fail('ENOMEM');
}

function firstVma(mm: Mm, range: PageRange): Vma | 'none' {
  return vmasIn(mm.vmas, range)[0] ?? 'none';
}

/** mprotect_fixup(): the mapping takes its new rights, merged or split, then its entries do. */
export function* mprotectFixup(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  part: PageRange,
  prot: Prot,
): Task<void> {
  if (vma.prot === prot) return;
  const accounted = k.fn.mprotectAccounts(vma, prot);
  const shape = { prot, kind: vma.kind, file: vma.file, accounted };
  const pgoff = linearIndex(vma, part.first);
  const wish = { range: part, shape, pgoff, anonVma: vma.anonVma };
  const merged = yield* k.fn.vmaMerge(k, mm, wish);
  const changed = merged === 'none' ? yield* cutOut(k, mm, vma, part) : merged;
  yield* k.fn.vmaStartWrite(k, mm, changed);
  touch(k.context, vmaListObject(mm.id), 'write');
  changed.prot = prot;
  changed.accounted = accounted;
  k.emit({ kind: 'vma', mm: mm.id, first: part.first, end: part.end, change: 'mprotect', prot });
  yield* k.fn.changeProtection(k, mm, changed, part);
}

/** VM_ACCOUNT after mprotect() to `prot`: a private mapping that once was writable stays accounted. */
export function mprotectAccounts(vma: Vma, prot: Prot): boolean {
  return vma.accounted || (prot === 'rw' && !isShared(vma));
}

function* cutOut(k: Kernel, mm: Mm, vma: Vma, part: PageRange): Task<Vma> {
  const upper =
    vma.first < part.first ? yield* k.fn.splitVma(k, mm, vma, part.first, 'below') : vma;
  if (upper.end > part.end) yield* k.fn.splitVma(k, mm, upper, part.end, 'above');
  return upper;
}

/** Whether an entry was changed that some CPU may remember. */
type Changed = 'untouched' | 'stale';

/**
 * change_protection(): the entries of `range` follow the mapping. Without any page-table page there is nothing to
 * notify the devices.
 *
 * Holds: mmap_lock for writing. Takes: callbacks' locks, PTE locks.
 */
export function* changeProtection(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void> {
  // tlb_gather_mmu(): entries that have lost rights are flushed at the end, and others are told so meanwhile.
  beginTlbFlushPending(k, mm);
  let tlb: Changed = 'untouched';
  let bracket: Invalidation | 'none' = 'none';
  const first = k.fn.changeProtectionStart(mm, range);
  if (first !== 'none') {
    const started = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
      event: 'protection_vma',
      range: { first, end: range.end },
      owner: 'none',
      blocking: 'blockable',
    });
    if (started.ok) bracket = started.value;
  }
  for (let page = nextCovered(mm.table, range.first, range.end); page < range.end; ) {
    const end = endOfPtePage(mm.table, page) < range.end ? endOfPtePage(mm.table, page) : range.end;
    if (end - page === k.ptrsPerPte && isHuge(mm.table, page)) {
      if ((yield* changeHugePmd(k, mm, vma, page)) === 'stale') tlb = 'stale';
    } else {
      yield* k.fn.splitHugePmd(k, mm, page);
      if ((yield* changePteRange(k, mm, vma, { first: page, end })) === 'stale') tlb = 'stale';
    }
    page = nextCovered(mm.table, end, range.end);
  }
  if (tlb === 'stale' || tlbFlushNested(k, mm)) yield* k.fn.flushTlbRange(k, mm, range);
  endTlbFlushPending(k, mm);
  if (bracket !== 'none') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket);
}

/**
 * Where the bracket of change_protection() starts: at the first block of `range` that has a page-table page; 'none' if
 * none has. mmap_lock keeps it so.
 *
 * Holds: mmap_lock for writing.
 */
export function changeProtectionStart(mm: Mm, range: PageRange): PageIndex | 'none' {
  const first = nextCovered(mm.table, range.first, range.end);
  return first < range.end ? first : 'none';
}

/** change_huge_pmd(). */
function* changeHugePmd(k: Kernel, mm: Mm, vma: Vma, page: PageIndex): Task<Changed> {
  const block = blockOf(mm.table, page);
  let tlb: Changed = 'untouched';
  const held = yield* lock(k.context, 'change_huge_pmd.ptl', block.ptl);
  if (block.level === 'huge') {
    yield willWrite('change_huge_pmd.set', pteObject(mm.table, page));
    if (ptePresent(block.huge)) tlb = 'stale';
    setHugePmd(k, held, mm, block, page, k.fn.changedPte(k, vma, block.huge));
  }
  unlock(k.context, held);
  return tlb;
}

function* changePteRange(k: Kernel, mm: Mm, vma: Vma, block: PageRange): Task<Changed> {
  const table = yield* lockTable(k, 'change_pte_range.ptl', mm, block.first);
  if (typeof table === 'string') return 'untouched';
  yield* k.fn.flushTlbBatchedPending(k, mm);
  let tlb: Changed = 'untouched';
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    const at: LockedPte = { mm, vma, page, ...table };
    if (pteNone(lockedPte(at))) continue;
    yield willWrite('change_pte_range.set', pteObject(mm.table, page));
    const before = lockedPte(at);
    const after = k.fn.changedPte(k, vma, before);
    if (ptePresent(before) && after !== before) tlb = 'stale';
    setLockedPte(k, at, after);
  }
  unlock(k.context, table.held);
  return tlb;
}

export function changedPte(k: Kernel, vma: Vma, pte: Pte): Pte {
  if (ptePresent(pte)) {
    const modified = pteModify(pte, vmProt(vma));
    return k.fn.canChangePteWritable(k, vma, modified)
      ? pteWithFlags(modified, PTE_WRITE)
      : modified;
  }
  if (!pteWrite(pte)) return pte;
  if (pteIsMigration(pte)) {
    const anon = hasFlag(k.frames, ptePfn(pte), PAGE_ANON);
    const kept = (pteYoung(pte) ? PTE_YOUNG : 0) | (pteDirty(pte) ? PTE_DIRTY : 0);
    const readable = mkMigration(ptePfn(pte), anon ? 'readable-exclusive' : 'readable', pte);
    return migrationKind(pte) === 'writable' ? pteWithFlags(readable, kept) : pte;
  }
  // Device entries lose the right to write and do not get it back here; a CPU write restores it.
  return pteIsDevicePrivate(pte) || pteIsDeviceExclusive(pte)
    ? pteWithoutFlags(pte, PTE_WRITE)
    : pte;
}

/** can_change_pte_writable(): dirty, and of this process alone, so that no fault would decide otherwise. */
export function canChangePteWritable(k: Kernel, vma: Vma, pte: Pte): boolean {
  if (!mayWrite(vma) || pteWrite(pte) || pteProtNone(pte) || !pteDirty(pte)) return false;
  return isShared(vma) || isAnonExclusive(k, pte);
}

/** PageAnonExclusive() of the page that a present entry maps. */
export function isAnonExclusive(k: Kernel, pte: Pte): boolean {
  return (
    !pteIsZeroPage(pte) &&
    hasFlag(k.frames, ptePfn(pte), PAGE_ANON) &&
    hasFlag(k.frames, ptePfn(pte), PAGE_ANON_EXCLUSIVE)
  );
}
