import { applyDeferred, moveSeq } from '../kernel/notifier/mmu-notifier.ts';
import { wake } from '../task/context.ts';
import { willWrite } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** Race 21: who sees the new sequence returns and frees the subscription that the list of removals still names. */
export const removeWaitsUnlocked: Patch = {
  id: 'remove-waits-unlocked',
  provenance:
    'Linux 5.5 to 5.17; fixed by 319561669a59 "mm/mmu_notifier.c: fix race in ' +
    'mmu_interval_notifier_remove()" (5.18-rc4)',
  summary:
    'mmu_interval_notifier_remove() looks at the sequence without the lock under which the list is worked off',
  overrides: () => ({
    // The lock is held from here to the end, but a remover that does not take it may look in between.
    *mnItreeInvEnd(k, mm) {
      const { subscriptions } = mm;
      moveSeq(k, mm);
      wake(k.context, subscriptions.object);
      yield willWrite('mn_itree_inv_end.deferred_list', subscriptions.object);
      applyDeferred(subscriptions);
    },
  }),
};
