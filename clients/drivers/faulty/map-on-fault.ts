import type { Task } from '../../../server/task/task.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Hypothesis H2: mapping what has migrated is said to be optional; a driver that ignores its own events needs it. */
export const mapOnFault: DriverVariant = {
  id: 'map-on-fault',
  provenance:
    'constructed: Documentation/mm/hmm.rst lets a driver map migrated pages later; amdkfd does, and filters nothing',
  summary:
    'ignores its own migrations like dmirror, but leaves what migrated to be mapped by a later fault',
  newDevice: (options) => dmirrorWith(options, { mapMigrated: mapNothing }, 'nothing'),
};

function* mapNothing(): Task<void> {
  // A later fault will.
}
