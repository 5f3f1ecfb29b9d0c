import { mmuIntervalSetSeq } from '../../../server/abi/device-api.ts';
import { touch } from '../../../server/task/context.ts';
import { unlock } from '../../../server/task/lock.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { dropEntries, lockAsAllowed } from '../dmirror/dmirror-invalidate.ts';
import { withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { allMapped, mappedThrough } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 41: the hardware is given an update for a key that it does not know any more, and its queue fails. */
export const revokesOutsideLock: DriverVariant = {
  id: 'revokes-outside-lock',
  provenance:
    'mlx5 until abb604a1a9c8 "RDMA/mlx5: Fix a race for an ODP MR which leads to CQE with error" ' +
    '(6.14, CVE-2025-21732)',
  summary:
    'release revokes its key before it takes the driver lock, under which the callback posts updates for the key',
  newDevice: (options) => {
    const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
    const hardware = {
      object: objectId('device', options.deviceNumber, 1),
      key: 'valid' as 'valid' | 'revoked',
      queue: 'works' as 'works' | 'failed',
    };
    /** What the memory region still belongs to: the callback leaves one alone that belongs to nobody. */
    let owner: 'registered' | 'none' = 'registered';

    function* post(): Task<void> {
      yield willWrite('mlx5r_umr_update_xlt.post', hardware.object);
      if (hardware.key === 'revoked') hardware.queue = 'failed';
    }

    function* deregister(): Task<void> {
      yield willWrite('mlx5_revoke_mr.revoke', hardware.object);
      hardware.key = 'revoked';
      yield* withDriverLock(dmirror, 'mlx5_ib_dereg_mr.umem_mutex', function* () {
        yield* dropEntries(dmirror, allMapped(dmirror.pageTable));
        owner = 'none';
      });
    }

    return {
      callbacks: {
        ...dmirrorDriver(dmirror),
        *invalidate(sub, range, seq) {
          const held = yield* lockAsAllowed(dmirror, range);
          if (held === 'busy') return 'again';
          yield willWrite('mlx5_ib_invalidate_range.seq', sub.object);
          mmuIntervalSetSeq(sub, seq);
          yield* dropEntries(dmirror, mappedThrough(dmirror.pageTable, range.range));
          // The driver lock guards it.
          if (owner === 'registered') yield* post();
          unlock(dmirror.context, held);
          return 'done';
        },
      },
      open: () => dmirrorOpen(dmirror),
      *perform(verb) {
        touch(dmirror.context, hardware.object, 'read');
        if (hardware.queue === 'failed') return { errno: 'EIO' };
        if (verb.verb !== 'release') return yield* performLabVerb(dmirror, verb);
        yield* deregister();
        return { errno: 'OK' };
      },
    };
  },
};
