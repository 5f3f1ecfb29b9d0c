import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import {
  contentOfCorrected,
  newCorrectedDmirror,
  performCorrectedVerb,
} from '../dmirror/corrected-dmirror.ts';
import { allocateChunk } from '../dmirror/dmirror-devmem.ts';
import { dropEntries } from '../dmirror/dmirror-invalidate.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import { allMapped } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** As amdgpu has a notifier for each userptr object: it is about one range, and nothing else is mapped. */
export const perRange: DriverVariant = {
  id: 'per-range',
  provenance: 'constructed, after drivers/gpu/drm/amd/amdgpu/amdgpu_mn.c',
  summary:
    'corrected, but subscribes to the range of its first verb instead of to everything; release ends that',
  newDevice: (options) => {
    const { dmirror, callbacks, ...rest } = newCorrectedDmirror(options);
    const corrected = { dmirror, callbacks, ...rest };
    const perform = (verb: DmirrorVerb) =>
      performLabVerb(dmirror, verb, (own) => performCorrectedVerb(corrected, own));
    return {
      callbacks,
      open: () => allocateChunk(dmirror),
      freeFrames: () => freeFrames(dmirror.memory),
      contentOf: (object) =>
        object === dmirror.lock.object
          ? subscriptionText(dmirror)
          : contentOfCorrected(corrected, object),
      perform: (verb) => performSubscribed(dmirror, verb, perform),
    };
  },
};

/** Its lock guards besides which subscription it has. */
function subscriptionText({ sub }: Dmirror): string {
  return sub === 'closed' ? '' : `${sub.id}`;
}

function* performSubscribed(
  dmirror: Dmirror,
  verb: DmirrorVerb,
  perform: (verb: DmirrorVerb) => Task<DmirrorResult>,
): Task<DmirrorResult> {
  if (verb.verb === 'release') {
    yield* unsubscribe(dmirror);
    return { errno: 'OK' };
  }
  if (dmirror.sub === 'closed') {
    const subscribed = yield* subscribe(dmirror, verb.range);
    if (!subscribed.ok) return { errno: subscribed.errno };
  }
  return yield* perform(verb);
}

function* subscribe(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(range);
  if (!inserted.ok) return inserted;
  // Callbacks ask under the driver lock which subscription is the device's.
  yield* withDriverLock(dmirror, 'per_range.subscribe', function* () {
    yield willWrite('per_range.subscribed', inserted.value.object);
    dmirror.sub = inserted.value;
  });
  return OK;
}

/** After it no callback comes for what is mapped: the entries go first. */
function* unsubscribe(dmirror: Dmirror): Task<void> {
  const { sub } = dmirror;
  if (sub === 'closed') return;
  yield* withDriverLock(dmirror, 'per_range.unsubscribe', function* () {
    yield* dropEntries(dmirror, allMapped(dmirror.pageTable));
    dmirror.sub = 'closed';
  });
  yield* dmirror.api.mmuIntervalNotifierRemove(sub);
}
