/**
 * hmm_range_fault(): what the CPU page table says of a range, faulting pages in where asked to.
 * Source: mm/hmm.c (6.1, with owner-only device-private entries as since 8a295dbbaf72).
 *
 * Leaves out: hugetlb, devmap. Holds throughout: mmap_lock for read, by the caller.
 */
import type { DeviceOwner, HmmRangeRequest, HmmRequestFlags } from '../../abi/device-api.ts';
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_NONE,
  HMM_PFN_PMD,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  HMM_PFN_ZERO,
  type HmmPfn,
  hmmPfn,
  hmmPfnError,
} from '../../abi/hmm-pfn.ts';
import { enterLoop, keepOnly } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import { HOLD_OWNERS } from '../../task/object-owners.ts';
import { type Task, willCompare, willRead } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import type { HmmWalk, HmmWalked, Kernel } from '../kernel.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { pgmapOf } from '../memory/page-references.ts';
import { endOfPtePage, findPtePage, isHuge, pteObject, readPte } from '../memory/page-table.ts';
import {
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsSwap,
  pteIsZeroPage,
  pteNone,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../memory/pte.ts';
import { findVma } from '../memory/vma.ts';

/** Distinguishes its loop from what the lab enters by calls: those have small numbers. */
const LOOP = objectId('hold', HOLD_OWNERS.calls, 100);

type Need = 'nothing' | 'fault' | 'write-fault';
type Stop = Exclude<HmmWalked, { readonly kind: 'next' }>;

/**
 * Takes: what faults take. Yields: yes; the answer may be void before it arrives (see mmuIntervalReadRetry).
 * Returns: EBUSY if the range was invalidated meanwhile; EFAULT where a fault was asked for and cannot be had
 * (no mapping, no right to read); EPERM for a write to a read-only mapping.
 */
export function* hmmRangeFault(
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  request: HmmRangeRequest,
): Task<Result<HmmPfn[]>> {
  const { range, sub, notifierSeq } = request;
  const pfns: HmmPfn[] = new Array(range.end - range.first).fill(HMM_PFN_NONE);
  const walk: HmmWalk = { k, mm, owner, request, pfns };
  let last = range.first;
  enterLoop(k.context, LOOP);
  for (;;) {
    keepOnly(k.context, LOOP, `${last} ${pfns.join()}`);
    yield willCompare('hmm_range_fault.check_retry', sub.object);
    if (sub.invalidateSeq !== notifierSeq) return fail('EBUSY');
    const stop = yield* walkFrom(walk, last);
    if (stop === 'complete') return ok(pfns);
    if (stop.kind === 'error') return fail(stop.errno);
    last = stop.page;
  }
}

function* walkFrom(walk: HmmWalk, from: PageIndex): Task<'complete' | Stop> {
  const { end } = walk.request.range;
  let page = from;
  while (page < end) {
    const walked = yield* walkMapping(walk, findVma(walk.mm.vmas, page), page, end);
    if (walked.kind !== 'next') return walked;
    page = walked.page;
  }
  return 'complete';
}

/** Up to the end of `vma`, or of the gap before it. */
function* walkMapping(
  walk: HmmWalk,
  vma: Vma | 'none',
  page: PageIndex,
  end: PageIndex,
): Task<HmmWalked> {
  if (vma === 'none') return walkGap(walk, page, end);
  if (vma.first > page) return walkGap(walk, page, earlier(vma.first, end));
  // hmm_vma_walk_test(): a mapping without read permission counts as a gap.
  if (vma.prot === 'none') return walkGap(walk, page, earlier(vma.end, end));
  return yield* walkVma(walk, vma, page, earlier(vma.end, end));
}

/** No mapping: an error if a fault was asked for. */
function walkGap(walk: HmmWalk, first: PageIndex, end: PageIndex): HmmWalked {
  if (anyNeed(walk, first, end, 0)) return { kind: 'error', errno: 'EFAULT' };
  return fill(walk, first, end, hmmPfnError());
}

function* walkVma(walk: HmmWalk, vma: Vma, first: PageIndex, end: PageIndex): Task<HmmWalked> {
  let page = first;
  while (page < end) {
    const blockEnd = earlier(endOfPtePage(walk.mm.table, page), end);
    const walked = yield* walkBlock(walk, vma, { first: page, end: blockEnd });
    if (walked.kind !== 'next') return walked;
    page = walked.page;
  }
  return { kind: 'next', page };
}

/** One page-table page's worth: hmm_vma_walk_pmd() and, where there is none, hmm_vma_walk_hole(). */
function* walkBlock(walk: HmmWalk, vma: Vma, block: PageRange): Task<HmmWalked> {
  const { mm } = walk;
  if (findPtePage(mm.table, block.first) === 'none') {
    yield willRead('hmm_range_fault.hole', pteObject(mm.table, block.first));
    if (findPtePage(mm.table, block.first) === 'none') {
      const need = anyNeed(walk, block.first, block.end, 0);
      if (need) return yield* faultRest(walk, vma, block, need);
      return fill(walk, block.first, block.end, HMM_PFN_NONE);
    }
  }
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    yield willRead('hmm_range_fault.walk', pteObject(mm.table, page));
    const seen = readPte(mm.table, page);
    const handled = yield* walk.k.fn.hmmVmaHandlePte(
      walk,
      vma,
      { first: page, end: block.end },
      seen,
    );
    if (handled !== 'stored') return handled;
  }
  return { kind: 'next', page: block.end };
}

/** hmm_vma_handle_pte(). */
export function* hmmVmaHandlePte(
  walk: HmmWalk,
  vma: Vma,
  rest: PageRange,
  seen: Pte,
): Task<'stored' | HmmWalked> {
  const { k, mm, owner } = walk;
  const page = rest.first;
  if (ptePresent(seen)) {
    const flags = presentFlags(seen, isHuge(mm.table, page) ? 'pmd' : 'pte');
    const need = needOf(walk, page, flags);
    if (need !== 'nothing') return yield* faultRest(walk, vma, rest, need);
    return store(walk, page, flags === 0 ? HMM_PFN_NONE : hmmPfn(ptePfn(seen), flags));
  }
  // A device's own private page is reported, never faulted, whatever access was asked for.
  if (pteIsDevicePrivate(seen) && pgmapOf(k, ptePfn(seen)).owner === owner) {
    const write = pteWrite(seen) ? HMM_PFN_WRITE : 0;
    return store(walk, page, hmmPfn(ptePfn(seen), HMM_PFN_VALID | HMM_PFN_DEVICE_PRIVATE | write));
  }
  const need = needOf(walk, page, 0);
  if (need === 'nothing') return store(walk, page, HMM_PFN_NONE);
  if (pteNone(seen) || pteIsSwap(seen) || pteIsDevicePrivate(seen) || pteIsDeviceExclusive(seen)) {
    return yield* faultRest(walk, vma, rest, need);
  }
  if (pteIsMigration(seen)) {
    yield* k.fn.migrationEntryWait(k, mm, page);
    return { kind: 'again', page };
  }
  return { kind: 'error', errno: 'EFAULT' };
}

/**
 * hmm_vma_fault(): faults *every* page from the one that needs it to the end of the block, without a look at
 * them, then starts over from there.
 */
function* faultRest(walk: HmmWalk, vma: Vma, rest: PageRange, need: Need): Task<HmmWalked> {
  const { k, mm, pfns } = walk;
  const access = need === 'write-fault' ? 'write' : 'read';
  if (access === 'write' && vma.prot !== 'rw') return { kind: 'error', errno: 'EPERM' };
  for (let page = rest.first; page < rest.end; page = nextPage(page)) {
    keepOnly(
      k.context,
      LOOP,
      `${access} ${vma.first} ${page} ${rest.first} ${rest.end} ${pfns.join()}`,
    );
    k.emit({ kind: 'fault', mm: mm.id, page, mode: access });
    const outcome = yield* k.fn.handleMmFault(k, { mm, vma, page, access });
    if (outcome !== 'done' && outcome !== 'retry') return { kind: 'error', errno: 'EFAULT' };
  }
  return { kind: 'again', page: rest.first };
}

/** pte_to_hmm_pfn_flags(). */
function presentFlags(pte: Pte, level: 'pmd' | 'pte'): number {
  if (pteProtNone(pte)) return 0;
  // The huge zero page is not the zero page: is_zero_pfn() does not know it.
  const small = pteIsZeroPage(pte) ? HMM_PFN_ZERO : 0;
  return (
    HMM_PFN_VALID | (level === 'pmd' ? HMM_PFN_PMD : small) | (pteWrite(pte) ? HMM_PFN_WRITE : 0)
  );
}

/** hmm_pte_need_fault(): the per-page request decides together with the default. */
function needOf(walk: HmmWalk, page: PageIndex, cpuFlags: number): Need {
  const { request } = walk;
  const wanted = stronger(
    request.defaultFlags,
    request.pageFlags?.[page - request.range.first] ?? 'snapshot',
  );
  if (wanted === 'snapshot') return 'nothing';
  if (wanted === 'fault-write' && (cpuFlags & HMM_PFN_WRITE) === 0) return 'write-fault';
  return (cpuFlags & HMM_PFN_VALID) === 0 ? 'fault' : 'nothing';
}

function stronger(a: HmmRequestFlags, b: HmmRequestFlags): HmmRequestFlags {
  if (a === 'fault-write' || b === 'fault-write') return 'fault-write';
  return a === 'fault' || b === 'fault' ? 'fault' : 'snapshot';
}

/** hmm_range_need_fault(): the strongest need of the pages, or false. */
function anyNeed(walk: HmmWalk, first: PageIndex, end: PageIndex, cpuFlags: number): Need | false {
  if (walk.request.pageFlags === undefined) {
    const need = needOf(walk, first, cpuFlags);
    return need === 'nothing' ? false : need;
  }
  let strongest: Need | false = false;
  for (let page = first; page < end; page = nextPage(page)) {
    const need = needOf(walk, page, cpuFlags);
    if (need === 'write-fault') return need;
    if (need === 'fault') strongest = need;
  }
  return strongest;
}

function store(walk: HmmWalk, page: PageIndex, entry: HmmPfn): 'stored' {
  walk.pfns[page - walk.request.range.first] = entry;
  return 'stored';
}

function fill(walk: HmmWalk, first: PageIndex, end: PageIndex, entry: HmmPfn): HmmWalked {
  const base = walk.request.range.first;
  walk.pfns.fill(entry, first - base, end - base);
  return { kind: 'next', page: end };
}

function earlier(a: PageIndex, b: PageIndex): PageIndex {
  return a < b ? a : b;
}
