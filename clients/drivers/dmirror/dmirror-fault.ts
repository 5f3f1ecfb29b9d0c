/**
 * The device's page fault: copy the CPU's view of a range into the device page table.
 *
 * Models: dmirror_fault(), dmirror_range_fault(), dmirror_do_fault() of lib/test_hmm.c (6.1), with
 * one line changed as for the recorded traces: for a private page of this device the entry names
 * the frame that holds the data.
 * Leaves out: the time budget; collisions are counted instead.
 */

import {
  type HmmRequestFlags,
  type IntervalSub,
  mmuIntervalReadRetry,
} from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../server/abi/hmm-pfn.ts';
import { enterLoop, loopAgain } from '../../../server/task/context.ts';
import { assertHeld, type Held } from '../../../server/task/lock.ts';
import { type Task, willCompare, willWrite } from '../../../server/task/task.ts';
import {
  nextPage,
  type PageRange,
  pageIndex,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import {
  type Dmirror,
  type FaultedRange,
  type InstallOutcome,
  nextBatch,
  withDriverLock,
  withMmapReadLock,
} from './dmirror-state.ts';

/**
 * Holds:   nothing. Takes: mmap_lock for read, then driver_lock, one after the other.
 * Yields:  yes. On return the entries may already be gone again.
 * Returns: EFAULT or EPERM from the walk, with the batches before it entered; EBUSY after
 *          `retriesMax` collisions; EFAULT if write access was asked for and a private page of this
 *          device is only readable.
 */
export function* dmirrorFault(
  dmirror: Dmirror,
  range: PageRange,
  access: 'read' | 'write',
): Task<Result<void>> {
  const sub = dmirror.sub;
  // The original reports success here and its reader would fault for ever.
  if (sub === 'closed' || dmirror.mm === 'gone') return fail('EINVAL');
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const faulted = yield* faultBatch(dmirror, sub, batch, access);
    if (!faulted.ok) return faulted;
    first = batch.end;
  }
  return OK;
}

/**
 * Copies what the CPU maps into the device page table, and faults nothing: pages that are not there, or belong to
 * another device, stay without an entry. As with IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_NO_FAULT (umem_odp.c).
 *
 * Holds, takes, yields: as dmirrorFault(). Returns: EBUSY after `retriesMax` collisions.
 */
export function* dmirrorPrefetch(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  const sub = dmirror.sub;
  if (sub === 'closed' || dmirror.mm === 'gone') return fail('EINVAL');
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const entered = yield* retried(dmirror, sub, batch, 'snapshot', (found) =>
      installPresent(dmirror, found),
    );
    if (!entered.ok) return entered;
    first = batch.end;
  }
  return OK;
}

function* installPresent(dmirror: Dmirror, found: FaultedRange): Task<InstallOutcome> {
  for (const [at, pfn] of found.pfns.entries()) {
    if (!hmmPfnHas(pfn, HMM_PFN_VALID)) continue;
    const range = pagesFrom(pageIndex(found.range.first + at), 1);
    const entered = yield* dmirror.fn.installFaulted(dmirror, { ...found, range, pfns: [pfn] });
    if (!entered.ok || entered.value === 'collided') return entered;
  }
  return ok('installed');
}

/**
 * Enters `faulted` into the device page table.
 *
 * Takes:   driver_lock.
 * Returns: 'collided' if the range was invalidated since it was read; EFAULT at the first page
 *          without the access asked for, with the pages before it entered.
 */
export function installFaulted(dmirror: Dmirror, faulted: FaultedRange): Task<InstallOutcome> {
  return withDriverLock(dmirror, 'dmirror_fault.lock', (held) =>
    installUnderLock(held, dmirror, faulted),
  );
}

function* installUnderLock(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  faulted: FaultedRange,
): Task<InstallOutcome> {
  const sub = dmirror.sub;
  if (sub === 'closed') return fail('EINVAL');
  // The walk ran without this lock, so its pfns may be stale. The callback moves the sequence
  // under the same lock: unchanged here means still true.
  yield willCompare('dmirror_fault.retry', sub.object);
  if (mmuIntervalReadRetry(sub, faulted.begun)) return ok('collided');
  const stored = yield* storeFaulted(held, dmirror, faulted);
  return stored.ok ? ok('installed') : stored;
}

/** Holds: driver_lock. Returns: EFAULT as installFaulted(). */
export function* storeFaulted(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  faulted: FaultedRange,
): Task<Result<void>> {
  let page = faulted.range.first;
  for (const pfn of faulted.pfns) {
    const access = hmmPfnHas(pfn, HMM_PFN_WRITE) ? 'write' : 'read';
    // Own private pages are never faulted, so a readable one stays readable whatever was asked for.
    if (!hmmPfnHas(pfn, HMM_PFN_VALID) || (faulted.access === 'write' && access === 'read')) {
      return fail('EFAULT');
    }
    yield willWrite('dmirror_fault.install', entryObject(dmirror.pageTable, page));
    assertHeld(held, dmirror.lock);
    setEntry(dmirror.pageTable, page, { state: 'mapped', pfn: hmmPfnToPfn(pfn), access });
    page = nextPage(page);
  }
  return OK;
}

function faultBatch(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: PageRange,
  access: 'read' | 'write',
): Task<Result<void>> {
  const flags = access === 'write' ? 'fault-write' : 'fault';
  return retried(dmirror, sub, range, flags, ({ pfns, begun }) =>
    dmirror.fn.installFaulted(dmirror, { range, begun, pfns, access }),
  );
}

/** Looks at `range` and lets `install` enter it, again until nothing was invalidated in between. */
function* retried(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: PageRange,
  defaultFlags: HmmRequestFlags,
  install: (found: FaultedRange) => Task<InstallOutcome>,
): Task<Result<void>> {
  // Without a limit no round knows how many there were before.
  const { context, retriesMax } = dmirror;
  if (retriesMax === Number.POSITIVE_INFINITY) enterLoop(context, sub.object);
  for (let attempt = 0; attempt < retriesMax; attempt += 1) {
    if (attempt > 0) loopAgain(context, sub.object);
    const begun = yield* dmirror.api.mmuIntervalReadBegin(sub);
    const walked: Result<readonly HmmPfn[]> = yield* withMmapReadLock(dmirror, () =>
      dmirror.api.hmmRangeFault({
        sub,
        notifierSeq: begun,
        range,
        defaultFlags,
      }),
    );
    if (!walked.ok) {
      if (walked.errno === 'EBUSY') continue;
      return walked;
    }
    const installed = yield* install({ range, begun, pfns: walked.value, access: 'read' });
    if (!installed.ok) return installed;
    if (installed.value === 'installed') return OK;
  }
  return fail('EBUSY');
}
