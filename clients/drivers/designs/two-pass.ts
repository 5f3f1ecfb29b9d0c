import {
  type IntervalSub,
  type InvalidateFinish,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import {
  dmirrorInvalidate,
  dropEntries,
  ignoresOwnMigration,
} from '../dmirror/dmirror-invalidate.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { mappedThrough } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** What each pass does. */
interface Passes {
  readonly beginPass: (
    dmirror: Dmirror,
    sub: IntervalSub,
    range: NotifierRange,
    seq: Seq,
  ) => Task<void>;
  readonly finishPass: Passes['beginPass'];
}

/** As drm/xe does it: the first pass moves the sequence and would begin the flush, the second would wait for it. */
export const twoPass: DriverVariant = {
  id: 'two-pass',
  provenance: 'constructed, after "drm/xe/userptr: Convert invalidation to two-pass MMU notifier"',
  summary:
    'where the kernel has two passes, moves the sequence in the first and drops entries in the second',
  newDevice: (options) => inPasses(options, { beginPass: moveSequence, finishPass: dropMapped }),
};

/** Between the passes a fault sees no collision, and its entry stays. */
export const twoPassLateSequence: DriverVariant = {
  id: 'two-pass-late-sequence',
  provenance: 'constructed: the mistake that two passes invite',
  summary:
    'where the kernel has two passes, drops entries in the first and moves the sequence in the second',
  newDevice: (options) => inPasses(options, { beginPass: dropMapped, finishPass: moveSequence }),
};

function inPasses(
  options: Parameters<DriverVariant['newDevice']>[0],
  passes: Passes,
): ReturnType<DriverVariant['newDevice']> {
  const dmirror = newDmirror(options);
  return {
    callbacks: {
      ...dmirrorDriver(dmirror),
      invalidateStart: (sub, range, seq) => start(dmirror, passes, sub, range, seq),
    },
    open: () => dmirrorOpen(dmirror),
    perform: (verb) => performLabVerb(dmirror, verb),
    contentOf: (object) => contentOfDmirror(dmirror, object),
  };
}

/** Own migrations, snapshots and what must not block are done in one pass. */
function* start(
  dmirror: Dmirror,
  passes: Passes,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): Task<'done' | 'again' | InvalidateFinish> {
  const whole = dmirror.sub !== 'closed' && dmirror.sub.id === sub.id;
  const once = !whole || ignoresOwnMigration(dmirror, range) || range.blocking !== 'blockable';
  if (once) return yield* dmirrorInvalidate(dmirror, sub, range, seq);
  yield* passes.beginPass(dmirror, sub, range, seq);
  return () => passes.finishPass(dmirror, sub, range, seq);
}

function moveSequence(
  dmirror: Dmirror,
  sub: IntervalSub,
  _range: NotifierRange,
  seq: Seq,
): Task<void> {
  return withDriverLock(dmirror, 'two_pass_sequence.lock', () => setSeq(sub, seq));
}

function* setSeq(sub: IntervalSub, seq: Seq): Task<void> {
  yield willWrite('two_pass_sequence.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
}

function dropMapped(dmirror: Dmirror, _sub: IntervalSub, range: NotifierRange): Task<void> {
  return withDriverLock(dmirror, 'two_pass_drop.lock', () => dropRange(dmirror, range));
}

function* dropRange(dmirror: Dmirror, { range }: NotifierRange): Task<void> {
  yield* dropEntries(dmirror, mappedThrough(dmirror.pageTable, range));
}
