/**
 * What hmm_range_fault() says of a range when it is not asked to fault: a view of the CPU page
 * table, not of the device's.
 *
 * Models: dmirror_snapshot(), dmirror_range_snapshot(), dmirror_mkentry() of lib/test_hmm.c (6.1),
 * including the temporary interval notifier that overlaps the device's own.
 * Leaves out: coherent memory; private pages of another device (hmm_range_fault() reports them as
 * missing).
 */

import { type IntervalSub, mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_ERROR,
  HMM_PFN_PMD,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  HMM_PFN_ZERO,
  type HmmPfn,
  hmmPfnHas,
} from '../../../server/abi/hmm-pfn.ts';
import { type Task, willCompare } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { fail, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { type Dmirror, nextBatch, withDriverLock, withMmapReadLock } from './dmirror-state.ts';

/** The names of HMM_DMIRROR_PROT_*, joined by '+'; a plain page has no name besides its access. */
export type SnapshotProt =
  | 'none'
  | 'error'
  | `${'' | 'zero+' | 'dev-private-local+'}${'read' | 'write'}${'' | '+pmd'}`;

export interface DmirrorSnapshot {
  readonly prot: readonly SnapshotProt[];
  readonly cpages: number;
}

/**
 * Takes:   mmap_lock for read, then driver_lock, one after the other.
 * Returns: EBUSY after `retriesMax` collisions. Holes are pages with 'error', not a failure.
 */
export function* dmirrorSnapshot(
  dmirror: Dmirror,
  range: PageRange,
): Task<Result<DmirrorSnapshot>> {
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const prot: SnapshotProt[] = [];
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(batch);
    if (!inserted.ok) return inserted;
    const read = yield* readStable(dmirror, inserted.value, batch);
    yield* dmirror.api.mmuIntervalNotifierRemove(inserted.value);
    if (!read.ok) return read;
    prot.push(...read.value);
    first = batch.end;
  }
  return ok({ prot, cpages: prot.length });
}

/** The name of one entry. */
export function snapshotProt(entry: HmmPfn): SnapshotProt {
  if (hmmPfnHas(entry, HMM_PFN_ERROR)) return 'error';
  if (!hmmPfnHas(entry, HMM_PFN_VALID)) return 'none';
  const access = hmmPfnHas(entry, HMM_PFN_WRITE) ? 'write' : 'read';
  const size = hmmPfnHas(entry, HMM_PFN_PMD) ? '+pmd' : '';
  if (hmmPfnHas(entry, HMM_PFN_DEVICE_PRIVATE)) return `dev-private-local+${access}${size}`;
  if (hmmPfnHas(entry, HMM_PFN_ZERO)) return `zero+${access}${size}`;
  return `${access}${size}`;
}

function* readStable(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: PageRange,
): Task<Result<readonly SnapshotProt[]>> {
  for (let attempt = 0; attempt < dmirror.retriesMax; attempt += 1) {
    const begun = yield* dmirror.api.mmuIntervalReadBegin(sub);
    const walked: Result<readonly HmmPfn[]> = yield* withMmapReadLock(dmirror, () =>
      dmirror.api.hmmRangeFault({ sub, notifierSeq: begun, range, defaultFlags: 'snapshot' }),
    );
    if (!walked.ok) {
      if (walked.errno === 'EBUSY') continue;
      return walked;
    }
    if ((yield* checkStill(dmirror, sub, begun)) === 'collided') continue;
    return ok(walked.value.map(snapshotProt));
  }
  return fail('EBUSY');
}

function checkStill(dmirror: Dmirror, sub: IntervalSub, begun: Seq): Task<'still' | 'collided'> {
  return withDriverLock(dmirror, 'dmirror_range_snapshot.lock', () => compareSeq(sub, begun));
}

function* compareSeq(sub: IntervalSub, begun: Seq): Task<'still' | 'collided'> {
  yield willCompare('dmirror_range_snapshot.retry', sub.object);
  return mmuIntervalReadRetry(sub, begun) ? 'collided' : 'still';
}
