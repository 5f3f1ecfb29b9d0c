/**
 * What amdkfd does when the CPU's page table changes.
 *
 * Models: svm_range_cpu_invalidate_pagetables(), svm_range_evict(), svm_range_unmap_from_cpu() of
 * drivers/gpu/drm/amd/amdkfd/kfd_svm.c (6.12). As there, it waits for its lock whether it may wait or not, nothing is
 * ignored for whose event it is, and RELEASE is: the process and its queues are gone by then.
 */
import {
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import { contains, type PageRange } from '../../../server/vocabulary/address.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { allMapped, mappedIn } from '../hardware/device-page-table.ts';
import { zap } from '../hardware/gpu.ts';
import { type KfdRange, type KfdSvms, withRangeLock } from './kfd-svms.ts';

/** Takes: prange->lock. */
export function* kfdInvalidate(
  svms: KfdSvms,
  sub: IntervalSub,
  { event, range }: NotifierRange,
  seq: Seq,
): Task<'done'> {
  yield* withRangeLock(svms, 'svm_range_cpu_invalidate_pagetables.lock', function* () {
    yield willWrite('svm_range_cpu_invalidate_pagetables.seq', sub.object);
    mmuIntervalSetSeq(sub, seq);
    const prange = svms.rangeOf(sub);
    if (event === 'unmap' || event === 'release' || prange === 'none') {
      yield* unmapFromGpus(svms, range);
      if (event === 'unmap' && prange !== 'none') prange.unmapped.push(range);
    } else if (svms.mode === 'retry') yield* unmapFromGpus(svms, range);
    else yield* evict(svms, prange);
  });
  return 'done';
}

/** The GPU's table keeps what may be stale: no queue uses it until the restore worker has validated it. */
function* evict(svms: KfdSvms, prange: KfdRange): Task<void> {
  yield willWrite('svm_range_evict.invalid', prange.object);
  prange.invalid += 1;
  yield willWrite('svm_range_evict.count', svms.evictedObject);
  svms.evictedRanges += 1;
  if (svms.evictedRanges > 1) return;
  yield willWrite('kgd2kfd_quiesce_mm.stop', svms.queuesObject);
  svms.queueEvictions += 1;
  yield* zap(svms.gpu, 'kgd2kfd_quiesce_mm.idle', allMapped(svms.gpu.pageTable));
}

function* unmapFromGpus(svms: KfdSvms, range: PageRange): Task<void> {
  for (const page of svms.table.keys()) if (contains(range, page)) svms.table.delete(page);
  yield* zap(svms.gpu, 'svm_range_unmap_from_gpus.zap', mappedIn(svms.gpu.pageTable, range));
}
