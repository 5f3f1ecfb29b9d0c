import type { Task } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** Race 22: a walk of the list stands on a notifier, or is about to call it, when its driver frees it. */
export const unregisterWithoutGrace: Patch = {
  id: 'unregister-without-grace',
  provenance:
    'constructed for mmu_notifier_unregister(), after "mm/hmm: fix use after free with struct hmm in the mmu ' +
    'notifiers" (20190624210110.5098-2-jgg@ziepe.ca, Linux 5.3)',
  summary: 'mmu_notifier_unregister() does not wait for callbacks that are under way',
  overrides: () => ({ synchronizeSrcu: dontWait }),
};

function* dontWait(): Task<void> {
  // Who walks the list goes on.
}
