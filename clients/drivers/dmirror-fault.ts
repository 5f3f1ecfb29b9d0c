/**
 * The device's page fault: copy the CPU's view of a range into the device page table.
 *
 * Models: dmirror_fault(), dmirror_range_fault(), dmirror_do_fault() of lib/test_hmm.c (6.1), with
 * one line changed as for the recorded traces: for a private page of this device the entry names
 * the frame that holds the data.
 * Leaves out: the time budget; collisions are counted instead.
 */

import { type IntervalSub, mmuIntervalReadRetry } from '../../server/protocol/device-api.ts';
import {
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../server/protocol/hmm-pfn.ts';
import { assertHeld, type Held } from '../../server/task/lock.ts';
import { type Task, willRead, willWrite } from '../../server/task/task.ts';
import { nextPage, type PageRange } from '../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../server/vocabulary/errno.ts';
import { entryObject, setEntry } from './device-page-table.ts';
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
 * Enters `faulted` into the device page table.
 *
 * Takes:   driver_lock.
 * Returns: 'collided' if the range was invalidated since it was read; EFAULT at the first page
 *          without the access asked for, with the pages before it entered.
 */
export function installFaulted(dmirror: Dmirror, faulted: FaultedRange): Task<InstallOutcome> {
  return withDriverLock(dmirror, 'dmirror_fault.lock', function* (held) {
    const sub = dmirror.sub;
    if (sub === 'closed') return fail('EINVAL');
    // The walk ran without this lock, so its pfns may be stale. The callback moves the sequence
    // under the same lock: unchanged here means still true.
    yield willRead('dmirror_fault.retry', sub.object);
    if (mmuIntervalReadRetry(sub, faulted.begun)) return ok('collided');
    const stored = yield* storeFaulted(held, dmirror, faulted);
    return stored.ok ? ok('installed') : stored;
  });
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

function* faultBatch(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: PageRange,
  access: 'read' | 'write',
): Task<Result<void>> {
  for (let attempt = 0; attempt < dmirror.retriesMax; attempt += 1) {
    const begun = yield* dmirror.api.mmuIntervalReadBegin(sub);
    const walked: Result<readonly HmmPfn[]> = yield* withMmapReadLock(dmirror, () =>
      dmirror.api.hmmRangeFault({
        sub,
        notifierSeq: begun,
        range,
        defaultFlags: access === 'write' ? 'fault-write' : 'fault',
      }),
    );
    if (!walked.ok) {
      if (walked.errno === 'EBUSY') continue;
      return walked;
    }
    const faulted: FaultedRange = { range, begun, pfns: walked.value, access };
    const installed = yield* dmirror.fn.installFaulted(dmirror, faulted);
    if (!installed.ok) return installed;
    if (installed.value === 'installed') return OK;
  }
  return fail('EBUSY');
}
