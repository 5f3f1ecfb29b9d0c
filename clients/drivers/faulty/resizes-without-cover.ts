import type { IntervalSub } from '../../../server/abi/device-api.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, newDmirror } from '../dmirror/dmirror.ts';
import { allocateChunk } from '../dmirror/dmirror-devmem.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';

/** Race 23: a subscription cannot be resized. Between the removal and the insertion nobody is told of anything. */
export const resizesWithoutCover: DriverVariant = {
  id: 'resizes-without-cover',
  provenance:
    'from the source: kernel-open/nvidia-uvm/uvm_hmm.c, which splits a block under the cover of a third subscription',
  summary:
    'subscribes to the range of each verb, and removes the subscription that it had before it inserts the new one',
  newDevice: (options) => resizing(options, removeThenInsert),
};

/** The cure: two subscriptions for a while, and both are called. */
export const resizesUnderCover: DriverVariant = {
  id: 'resizes-under-cover',
  provenance: 'kernel-open/nvidia-uvm/uvm_hmm.c',
  summary:
    'subscribes to the range of each verb, and keeps the subscription that it had until the new one is there',
  newDevice: (options) => resizing(options, insertThenRemove),
};

type Resize = (dmirror: Dmirror, range: PageRange) => Task<Result<void>>;

function resizing(options: DriverOptions, resize: Resize): LabDevice {
  const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
  return {
    callbacks: dmirrorDriver(dmirror),
    open: () => allocateChunk(dmirror),
    *perform(verb) {
      if (verb.verb === 'release') return yield* performLabVerb(dmirror, verb);
      if (dmirror.sub === 'closed' || !sameRange(dmirror.sub.range, verb.range)) {
        const resized = yield* resize(dmirror, verb.range);
        if (!resized.ok) return { errno: resized.errno };
      }
      return yield* performLabVerb(dmirror, verb);
    },
  };
}

function sameRange(a: PageRange, b: PageRange): boolean {
  return a.first === b.first && a.end === b.end;
}

function* removeThenInsert(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  if (dmirror.sub !== 'closed') yield* dmirror.api.mmuIntervalNotifierRemove(dmirror.sub);
  const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(range);
  if (inserted.ok) yield* goOnWith(dmirror, inserted.value);
  return inserted.ok ? OK : inserted;
}

function* insertThenRemove(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  const before = dmirror.sub;
  const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(range);
  if (!inserted.ok) return inserted;
  yield* goOnWith(dmirror, inserted.value);
  if (before !== 'closed') yield* dmirror.api.mmuIntervalNotifierRemove(before);
  return OK;
}

/** Callbacks ask under the driver lock which subscription is the device's. */
function goOnWith(dmirror: Dmirror, sub: IntervalSub): Task<void> {
  return withDriverLock(dmirror, 'resize.lock', function* () {
    yield willWrite('resize.sub', sub.object);
    dmirror.sub = sub;
  });
}
