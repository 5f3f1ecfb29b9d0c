import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import { touch } from '../../../server/task/context.ts';
import type { Task } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import { dmirrorFault } from '../dmirror/dmirror-fault.ts';
import { dmirrorInvalidate } from '../dmirror/dmirror-invalidate.ts';
import type { Dmirror } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { mappedThrough } from '../hardware/device-page-table.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import {
  contentOfWorkItem,
  flushWork,
  newWorkItem,
  queueWork,
  type WorkItem,
} from '../interface/work-item.ts';

/**
 * What was mapped and is invalidated, a worker faults in again. It keeps the address space while it works, and drops
 * its reference where the last may be dropped: in no callback, and with no lock.
 */
export const restoreWorker: DriverVariant = {
  id: 'restore-worker',
  provenance: 'constructed, after svm_range_restore_work() of drivers/gpu/drm/amd/amdkfd/kfd_svm.c',
  summary:
    'faults in again, in a worker with a reference on the mm, what an invalidation has dropped',
  newDevice: (options) => newRestoring(options, 'left'),
};

/** Race 40, second form: the worker drops the last reference, and release() waits there for the worker. */
export const flushInRelease: DriverVariant = {
  id: 'flush-in-release',
  provenance:
    'amdkfd until "drm/amdkfd: svm range restore work deadlock when process exit" (2022): ' +
    'kfd_process_notifier_release() flushed svm_range_restore_work()',
  summary: 'restore-worker, but release() waits until the worker has ended',
  newDevice: (options) => newRestoring(options, 'flushed'),
};

interface Restoring {
  readonly dmirror: Dmirror;
  readonly work: WorkItem;
  /** What the worker has to fault in again. Guarded by the order of the item: see queueWork(). */
  dropped: PageRange | 'none';
}

/** `work` in release(): left alone, or flushed. */
function newRestoring(options: DriverOptions, work: 'left' | 'flushed'): LabDevice {
  const { api, context, deviceNumber } = options;
  const dmirror = newDmirror(options);
  const named = { actor: api.owner, name: 'restore' };
  const restoring: Restoring = {
    dmirror,
    work: newWorkItem(context, deviceNumber, 1, named),
    dropped: 'none',
  };
  return {
    callbacks: callbacksOf(restoring, dmirrorDriver(dmirror), work),
    open: () => dmirrorOpen(dmirror),
    perform: (verb) => performLabVerb(dmirror, verb),
    contentOf: (object) =>
      object === restoring.work.object
        ? `${contentOfWorkItem(restoring.work)} ${rangeText(restoring.dropped)}`
        : contentOfDmirror(dmirror, object),
  };
}

function callbacksOf(
  restoring: Restoring,
  stock: DeviceDriver,
  inRelease: 'left' | 'flushed',
): DeviceDriver {
  const { dmirror, work } = restoring;
  return {
    ...stock,
    *invalidate(sub, range, seq) {
      const [first] = mappedThrough(dmirror.pageTable, range.range);
      const answer = yield* dmirrorInvalidate(dmirror, sub, range, seq);
      if (first === undefined || range.event === 'release' || answer === 'again') return answer;
      touch(dmirror.context, work.object, 'write');
      restoring.dropped = range.range;
      yield* queueWork(work, () => restore(restoring));
      return answer;
    },
    *release() {
      if (inRelease === 'flushed') yield* flushWork(work);
      yield* stock.release();
    },
  };
}

function* restore(restoring: Restoring): Task<void> {
  const { dmirror, work } = restoring;
  touch(dmirror.context, work.object, 'write');
  const { dropped } = restoring;
  restoring.dropped = 'none';
  if (dropped === 'none' || !(yield* dmirror.api.mmgetNotZero())) return;
  // What is not mapped any more stays without an entry: the next access faults.
  yield* dmirrorFault(dmirror, dropped, 'read');
  yield* dmirror.api.mmput();
}

function rangeText(range: PageRange | 'none'): string {
  return range === 'none' ? range : `${range.first}-${range.end}`;
}
