import type { NotifierRange } from '../abi/device-api.ts';
import type { Invalidation, Kernel } from '../kernel/kernel.ts';
import { hasClassicNotifiers } from '../kernel/notifier/classic-notifiers.ts';
import type { Subscription } from '../kernel/notifier/subscriptions.ts';
import type { Task } from '../task/task.ts';
import type { Seq } from '../vocabulary/seq.ts';
import type { Patch } from './patch.ts';

/**
 * Race 28: a driver of both kinds drops its entries before its sequence moves, so what a fault enters in between stays.
 */
export const listBeforeTree: Patch = {
  id: 'list-before-tree',
  provenance:
    'constructed: the order that a comment in drivers/gpu/drm/nouveau/nouveau_svm.c warns of; mm/mmu_notifier.c ' +
    'serves the interval tree first',
  summary:
    'the start of an invalidation goes to classic notifiers before it goes to interval subscriptions',
  overrides: () => ({ startCallbacks: listFirst }),
};

function* listFirst(
  k: Kernel,
  invalidation: Invalidation,
  range: NotifierRange,
  hit: readonly Subscription[],
  current: Seq,
): Task<'agreed' | 'refused' | 'refused by a classic notifier'> {
  const nonBlockable = range.blocking === 'non-blockable';
  if (range.event !== 'release' && hasClassicNotifiers(k, invalidation.mm)) {
    const listed = yield* k.fn.mnHlistInvalidateRangeStart(k, invalidation, range);
    if (listed === 'again' && nonBlockable) return 'refused by a classic notifier';
  }
  const answer = yield* k.fn.mnItreeInvalidate(k, range, hit, current);
  return answer === 'again' && nonBlockable ? 'refused' : 'agreed';
}
