import { removeInterval, sameInterval } from '../kernel/notifier/interval-tree.ts';
import { willWrite } from '../task/task.ts';
import { invariant } from '../vocabulary/invariant.ts';
import type { Patch } from './patch.ts';

/** Race 22: the caller frees what a callback, which has been called already, is about to use. */
export const removeWithoutWaiting: Patch = {
  id: 'remove-without-waiting',
  provenance:
    'the bug that "mm/hmm: fix use after free with struct hmm in the mmu notifiers" (2019-06-24, ' +
    '20190624210110.5098-2-jgg@ziepe.ca, 5.3) fixed, in the notifiers of today',
  summary:
    'mmu_interval_notifier_remove() does not wait for the invalidations that have seen the subscription',
  overrides: () => ({
    *mmuIntervalNotifierRemove(_k, { subscriptions }, sub) {
      yield willWrite('mmu_interval_notifier_remove.tree', subscriptions.object);
      const subscription = sameInterval(subscriptions.itree, sub);
      invariant(subscription !== 'none', 'MN3', { subscription: sub.id });
      removeInterval(subscriptions.itree, subscription);
    },
  }),
};
