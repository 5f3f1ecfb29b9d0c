import type { IntervalSub } from '../abi/device-api.ts';
import type { Invalidation, Kernel, KernelFunctions } from '../kernel/kernel.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import { overlapping } from '../kernel/notifier/interval-tree.ts';
import { touch } from '../task/context.ts';
import type { Task } from '../task/task.ts';
import { PAGES_MAX, type PageIndex } from '../vocabulary/address.ts';
import { type Seq, seq } from '../vocabulary/seq.ts';
import type { Patch } from './patch.ts';

/** Below every sequence that an invalidation hands out, so anything else in a subscription means "not valid". */
const VALID = seq(1);

/**
 * Race 4: a flag says whether the range is valid now, and not whether it has been all the time. A whole
 * invalidation between looking and asking goes unnoticed.
 */
export const validityIsBoolean: Patch = {
  id: 'validity-is-boolean',
  provenance:
    'HMM of Linux 4.14 to 5.4; replaced by "mm/hmm: allow hmm_range to be used with a mmu_interval_notifier or ' +
    'hmm_mirror" (2019-11-12, 20191112202231.3856-4-jgg@ziepe.ca)',
  summary:
    'a range that is valid again counts as valid, however often it was invalidated in between',
  overrides: (stock) => ({
    mmuIntervalReadBegin: (k, mm, sub) => untilValid(stock, k, mm, sub),
    mmuNotifierInvalidateRangeEnd: (k, invalidation) => endAndMarkValid(stock, k, invalidation),
  }),
};

function* untilValid(stock: KernelFunctions, k: Kernel, mm: Mm, sub: IntervalSub): Task<Seq> {
  yield* stock.mmuIntervalReadBegin(k, mm, sub);
  return VALID;
}

function* endAndMarkValid(
  stock: KernelFunctions,
  k: Kernel,
  invalidation: Invalidation,
): Task<void> {
  yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
  const { subscriptions } = invalidation.mm;
  if (subscriptions.activeInvalidateRanges > 0) return;
  const all = { first: 0 as PageIndex, end: PAGES_MAX as PageIndex };
  for (const { sub } of overlapping(subscriptions.itree, all)) {
    touch(k.context, sub.object, 'write');
    sub.invalidateSeq = VALID;
  }
}
