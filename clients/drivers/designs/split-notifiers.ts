/**
 * A driver with both kinds of notifiers: the interval subscription moves the sequence and drops nothing, the classic
 * notifier drops entries and knows no sequence. It is right only because the interval tree is served first.
 */
import type { DeviceDriver, IntervalSub, NotifierRange } from '../../../server/abi/device-api.ts';
import { mmuIntervalSetSeq } from '../../../server/abi/device-api.ts';
import { type Held, lock, tryLock, unlock } from '../../../server/task/lock.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import { dropEntries, ignoresOwnMigration } from '../dmirror/dmirror-invalidate.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { mappedThrough } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

export const splitNotifiers: DriverVariant = {
  id: 'split-notifiers',
  provenance: 'constructed, after drivers/gpu/drm/nouveau/nouveau_svm.c (Linux 6.12)',
  summary:
    'an interval subscription moves the sequence, and a classic notifier without an end drops the entries',
  notifiers: 'classic',
  newDevice(options) {
    const dmirror = newDmirror(options);
    const callbacks: DeviceDriver = {
      ...dmirrorDriver(dmirror),
      invalidate: (sub, range, seq) => moveSequence(dmirror, sub, range, seq),
      mmuNotifier: { invalidateRangeStart: (range) => dropMapped(dmirror, range) },
    };
    return {
      callbacks,
      open: () => open(dmirror),
      perform: (verb) => performLabVerb(dmirror, verb),
      contentOf: (object) => contentOfDmirror(dmirror, object),
    };
  },
};

function* open(dmirror: Dmirror): Task<Result<void>> {
  const opened = yield* dmirrorOpen(dmirror);
  if (!opened.ok) return opened;
  const registered = yield* dmirror.api.mmuNotifierRegister();
  return registered.ok ? OK : registered;
}

/** nouveau_svm_range_invalidate(). */
function* moveSequence(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  const held = yield* lockAsAllowed(dmirror, range);
  if (held === 'busy') return 'again';
  yield willWrite('nouveau_svm_range_invalidate.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
  unlock(dmirror.context, held);
  return 'done';
}

/** nouveau_svmm_invalidate_range_start(): it has to wait for the device, so it refuses what may not. */
function* dropMapped(dmirror: Dmirror, range: NotifierRange): Task<'done' | 'again'> {
  if (range.blocking !== 'blockable') return 'again';
  if (ignoresOwnMigration(dmirror, range)) return 'done';
  yield* withDriverLock(dmirror, 'nouveau_svmm_invalidate_range_start.lock', () =>
    dropEntries(dmirror, mappedThrough(dmirror.pageTable, range.range)),
  );
  return 'done';
}

function* lockAsAllowed(
  { context, lock: driverLock }: Dmirror,
  { blocking }: NotifierRange,
): Task<Held<'driver_lock'> | 'busy'> {
  const at = 'nouveau_svm_range_invalidate.lock';
  if (blocking === 'blockable') return yield* lock(context, at, driverLock);
  yield willWrite(at, driverLock.object);
  return tryLock(context, driverLock);
}
