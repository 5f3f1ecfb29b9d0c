import type { InvalidateFinish, NotifierRange } from '../../../abi/device-api.ts';
import type { Task } from '../../../task/task.ts';
import { together } from '../../../task/together.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import type { Kernel, KernelFunctions } from '../../kernel.ts';
import { askDevice, callbackArgs, endAsking } from '../../notifier/ask-devices.ts';
import type { Subscription } from '../../notifier/subscriptions.ts';
import type { KernelChange } from '../kernel-change.ts';

/** A driver that has only invalidate() is asked in the first pass. */
export const twoPassInvalidation: KernelChange = {
  since: 'after 7.0',
  commit: 'mm/mmu_notifier: allow two-pass struct mmu_interval_notifiers (7aba71dbc416)',
  summary:
    'a driver may begin its work in invalidate_start() and wait in invalidate_finish(), after all have begun',
  overrides: (older) => ({
    mnItreeInvalidate: (k, range, hit, current) => inTwoPasses(older, k, range, hit, current),
  }),
};

interface Begun {
  readonly subscription: Subscription;
  readonly finish: InvalidateFinish;
}

function* inTwoPasses(
  older: KernelFunctions,
  k: Kernel,
  range: NotifierRange,
  hit: readonly Subscription[],
  current: Seq,
): Task<'done' | 'again'> {
  if (hit.every(({ driver }) => driver.invalidateStart === undefined)) {
    return yield* older.mnItreeInvalidate(k, range, hit, current);
  }
  const begun = yield* together(
    k.context,
    'mn_itree_invalidate.first_pass',
    hit.map((subscription) => ({
      actor: subscription.device,
      name: subscription.callee.name,
      task: begin(k, subscription, range, current),
    })),
  );
  const left = begun.filter((each) => typeof each !== 'string');
  // Also where some device refused: what was begun is ended.
  if (left.length > 0) {
    const parts = left.map(({ subscription, finish }) => ({
      actor: subscription.device,
      name: `invalidate_finish ${subscription.device}`,
      task: endOf(k, subscription, range, finish),
    }));
    yield* together(k.context, 'mn_itree_finish_pass.second_pass', parts);
  }
  return begun.includes('again') ? 'again' : 'done';
}

function* begin(
  k: Kernel,
  subscription: Subscription,
  range: NotifierRange,
  current: Seq,
): Task<'done' | 'again' | Begun> {
  const args = callbackArgs(range, current);
  const { device, driver, sub } = subscription;
  if (driver.invalidateStart === undefined) {
    return yield* askDevice(k, subscription, range, current, args);
  }
  k.emit({ kind: 'callback', function: 'invalidate', device, args });
  const answer = yield* driver.invalidateStart(sub, range, current);
  if (typeof answer === 'function') return { subscription, finish: answer };
  endAsking(k, subscription, range, answer);
  return answer;
}

/** The callback is over once its second half is. */
function* endOf(
  k: Kernel,
  subscription: Subscription,
  range: NotifierRange,
  finish: InvalidateFinish,
): Task<void> {
  yield* finish();
  endAsking(k, subscription, range, 'done');
}
