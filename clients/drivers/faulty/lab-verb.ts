/**
 * The verbs of dmirror, and parts of them that a scenario may want alone: the fewer steps an actor takes, the fewer
 * interleavings there are.
 */
import type { Task } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { readU64 } from '../../../server/vocabulary/page-contents.ts';
import { dmirrorReadMapped } from '../dmirror-access.ts';
import { dmirrorFault, dmirrorPrefetch } from '../dmirror-fault.ts';
import { migrateRangeToDevice } from '../dmirror-migrate.ts';
import { type Dmirror, withMmapReadLock } from '../dmirror-state.ts';
import { type DmirrorResult, type DmirrorVerb, performVerb } from '../dmirror-verb.ts';

/**
 * 'fault-read' and 'fault-write': the device faults, whether it has an entry or not. 'prefetch': it maps what the CPU
 * maps, and faults nothing. 'read-mapped': it reads through
 * the entries that it has, without faulting; ENOENT if one is missing. 'migrate': 'migrate-to-dev' without reading
 * back. 'collect': it sets a migration to itself up and gives it up again, as a driver does that has no memory left.
 */
export type LabVerb =
  | DmirrorVerb
  | {
      readonly verb:
        | 'fault-read'
        | 'fault-write'
        | 'prefetch'
        | 'read-mapped'
        | 'migrate'
        | 'collect';
      readonly range: PageRange;
    };

/** Does one verb of a driver that is made of dmirror's state. `perform` does dmirror's own verbs. */
export function* performLabVerb(
  dmirror: Dmirror,
  verb: LabVerb,
  perform: (verb: DmirrorVerb) => Task<DmirrorResult> = (own) => performVerb(dmirror, own),
): Task<DmirrorResult> {
  switch (verb.verb) {
    case 'fault-read':
      return told(yield* dmirrorFault(dmirror, verb.range, 'read'));
    case 'fault-write':
      return told(yield* dmirrorFault(dmirror, verb.range, 'write'));
    case 'prefetch':
      return told(yield* dmirrorPrefetch(dmirror, verb.range));
    case 'migrate':
      return told(yield* migrateRangeToDevice(dmirror, verb.range));
    case 'collect':
      return told(yield* withMmapReadLock(dmirror, () => collect(dmirror, verb.range)));
    case 'read-mapped': {
      const read = yield* dmirrorReadMapped(dmirror, verb.range);
      if (!read.ok) return told(read);
      const values = read.value.values.map((page) => `0x${readU64(page, 0).toString(16)}`);
      return { errno: 'OK', values, cpages: read.value.cpages };
    }
    default:
      return yield* perform(verb);
  }
}

/** Holds: mmap_lock. */
function* collect(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  const { api, mm } = dmirror;
  if (mm === 'gone') return fail('EINVAL');
  const select = 'system';
  const setup = yield* api.migrateVmaSetup({ mm: api.mm, range, select, faultPage: 'none' });
  if (!setup.ok) return setup;
  yield* api.migrateVmaFinalize(setup.value);
  return OK;
}

function told(result: Result<unknown>): DmirrorResult {
  return { errno: result.ok ? 'OK' : result.errno };
}
