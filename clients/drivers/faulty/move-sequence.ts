import {
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import { dmirrorInvalidate, ignoresOwnMigration } from '../dmirror/dmirror-invalidate.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** The cure that hypothesis H8 asks about: faults collide with own migrations, whose entries stay. */
export const moveSequence: DriverVariant = {
  id: 'move-sequence',
  provenance: 'constructed: the smallest change that could cure hypothesis H8',
  summary: 'keeps its entries through its own migrations like dmirror, but moves the sequence',
  newDevice: (options) => {
    const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
    return {
      callbacks: {
        ...dmirrorDriver(dmirror),
        invalidate: (sub, range, seq) => invalidate(dmirror, sub, range, seq),
      },
      open: () => dmirrorOpen(dmirror),
      perform: (verb) => performLabVerb(dmirror, verb),
      contentOf: (object) => contentOfDmirror(dmirror, object),
    };
  },
};

/** Own migrations are always blockable. */
function* invalidate(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  if (!ignoresOwnMigration(dmirror, range))
    return yield* dmirrorInvalidate(dmirror, sub, range, seq);
  yield* withDriverLock(dmirror, 'dmirror_interval_invalidate.own_lock', function* () {
    yield willWrite('dmirror_interval_invalidate.own_seq', sub.object);
    mmuIntervalSetSeq(sub, seq);
  });
  return 'done';
}
