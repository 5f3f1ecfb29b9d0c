import type { IntervalSub } from '../../../server/abi/device-api.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, newDmirror } from '../dmirror/dmirror.ts';
import { allocateChunk } from '../dmirror/dmirror-devmem.ts';
import { withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { allMapped } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/**
 * Race 42: a region of its own for each range that is touched, which an invalidation that empties it hands over to a
 * worker (here: `release`) to be destroyed. Two invalidations both find it empty, and it is destroyed twice.
 */
export const destroysChildTwice: DriverVariant = {
  id: 'destroys-child-twice',
  provenance:
    'mlx5 until d3d930411ce3 "RDMA/mlx5: Fix implicit ODP use after free" (6.14, CVE-2025-21714)',
  summary:
    'hands a child region without pages over to be destroyed, without a look whether that is done already',
  newDevice: (options) => {
    const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
    const driver = dmirrorDriver(dmirror);
    const work = {
      object: objectId('device', options.deviceNumber, 1),
      queue: [] as IntervalSub[],
    };

    function* getChild(range: PageRange): Task<Result<void>> {
      const made = yield* options.api.mmuIntervalNotifierInsert(range);
      if (!made.ok) return made;
      yield* withDriverLock(dmirror, 'implicit_get_child_mr.lock', function* () {
        yield willWrite('implicit_get_child_mr.store', made.value.object);
        dmirror.sub = made.value;
      });
      return OK;
    }

    function* freeImplicitChildren(): Task<void> {
      for (;;) {
        yield willWrite('free_implicit_child_mr_work.next', work.object);
        const child = work.queue.shift();
        if (child === undefined) return;
        yield* options.api.mmuIntervalNotifierRemove(child);
      }
    }

    return {
      callbacks: {
        ...driver,
        *invalidate(sub, range, seq) {
          const answer = yield* driver.invalidate(sub, range, seq);
          if (answer === 'again' || allMapped(dmirror.pageTable).length > 0) return answer;
          yield willWrite('destroy_unused_implicit_child_mr.queue', work.object);
          work.queue.push(sub);
          return answer;
        },
      },
      open: () => allocateChunk(dmirror),
      *perform(verb) {
        if (verb.verb === 'release') {
          yield* freeImplicitChildren();
          return { errno: 'OK' };
        }
        if (dmirror.sub === 'closed') {
          const child = yield* getChild(verb.range);
          if (!child.ok) return { errno: child.errno };
        }
        return yield* performLabVerb(dmirror, verb);
      },
    };
  },
};
