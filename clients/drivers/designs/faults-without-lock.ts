/**
 * A driver that does not leave it at -EFAULT: hmm_range_fault() may not let go of mmap_lock, so what needs that is
 * faulted in through get_user_pages_unlocked(), which may, and is looked up anew.
 */

import type { Task } from '../../../server/task/task.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import type { Dmirror } from '../dmirror/dmirror-state.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

export const faultsWithoutLock: DriverVariant = {
  id: 'faults-without-lock',
  provenance:
    'constructed: what "mm/hmm: add hmm_range_fault_unlocked_timeout()" (v8, 2026-07) does inside of the kernel',
  summary:
    'faults in through get_user_pages() what hmm_range_fault() is refused, and looks it up again',
  newDevice(options) {
    const dmirror = newDmirror(options);
    return {
      callbacks: dmirrorDriver(dmirror),
      open: () => dmirrorOpen(dmirror),
      perform: (verb) => perform(dmirror, verb),
      contentOf: (object) => contentOfDmirror(dmirror, object),
    };
  },
};

function* perform(dmirror: Dmirror, verb: DmirrorVerb): Task<DmirrorResult> {
  const first = yield* performLabVerb(dmirror, verb);
  if (first.errno !== 'EFAULT' || !('range' in verb)) return first;
  const got = yield* dmirror.api.getUserPages(verb.range, 'read');
  if (!got.ok) return first;
  yield* dmirror.api.putPages(got.value);
  return yield* performLabVerb(dmirror, verb);
}
