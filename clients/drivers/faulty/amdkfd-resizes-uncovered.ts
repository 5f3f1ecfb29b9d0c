import type { Task } from '../../../server/task/task.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { amdkfdWith, KFD_FUNCTIONS } from '../amdkfd/amdkfd.ts';
import { insertLeft, type KfdRange, type KfdSvms, replaceRange } from '../amdkfd/kfd-svms.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 23: between the two nobody hears of the pages that are left. */
export const amdkfdResizesUncovered: DriverVariant = {
  id: 'amdkfd-resizes-uncovered',
  provenance:
    'constructed: what amdkfd (kfd_svm.c) and nvidia-uvm (uvm_hmm.c) take care not to do when a range shrinks',
  summary: 'removes the subscription of a range before it subscribes to what is left of it',
  newDevice: (options) =>
    amdkfdWith(options, 'retry', { ...KFD_FUNCTIONS, shrink: shrinkUncovered }),
};

function* shrinkUncovered(svms: KfdSvms, old: KfdRange): Task<Result<void>> {
  yield* svms.gpu.api.mmuIntervalNotifierRemove(old.sub);
  const inserted = yield* insertLeft(svms, old);
  if (!inserted.ok) return inserted;
  yield* replaceRange(svms, old, inserted.value);
  return OK;
}
