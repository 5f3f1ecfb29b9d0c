/**
 * Range and interval notifiers with the collision-retry sequence. Source: mm/mmu_notifier.c (6.1; the wait of
 * mmu_interval_notifier_remove() as fixed in 5.18).
 *
 * Differs: all overlapping devices are asked at once and the invalidation waits for all of them, so that every
 * order of their answers happens; Linux asks one after the other, which is one of those orders.
 * Classic notifiers are in classic-notifiers.ts. Rules: MN1, MN2.
 */
import type {
  DeviceDriver,
  DeviceOwner,
  IntervalSub,
  NotifierRange,
} from '../../abi/device-api.ts';
import { holdToCompare, touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import {
  type Task,
  waitAgain,
  waitUntil,
  willLower,
  willRaise,
  willWrite,
} from '../../task/task.ts';
import { PAGES_MAX, type PageRange } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { isOdd, type Seq, seq } from '../../vocabulary/seq.ts';
import { type Invalidation, type InvalidationRequest, type Kernel, nextId } from '../kernel.ts';
import type { Mm } from '../memory/mm.ts';
import { calleeOf } from './ask-devices.ts';
import { hasClassicNotifiers } from './classic-notifiers.ts';
import { insertInterval, overlapping, removeInterval, sameInterval } from './interval-tree.ts';
import type { NotifierSubscriptions, Subscription } from './subscriptions.ts';

function isInvalidating(subscriptions: NotifierSubscriptions): boolean {
  return isOdd(subscriptions.invalidateSeq);
}

/**
 * Opens a bracket and notifies every device whose subscription overlaps it.
 *
 * Holds: mmap_lock or a page lock; never a PTE lock. Takes: the drivers' locks, through their callbacks.
 * Yields: yes, until every device has answered.
 * Returns: EAGAIN if the range is not blockable and a device refused; the bracket is closed again then. As in Linux it
 * stays open for the interval tree where the one that refused is a classic notifier: mn_itree_inv_end() is called for
 * refusals of the tree alone.
 */
export function* mmuNotifierInvalidateRangeStart(
  k: Kernel,
  mm: Mm,
  request: InvalidationRequest,
): Task<Result<Invalidation>> {
  const { invalidation, answer } = yield* k.fn.openBracket(k, mm, request);
  if (answer === 'refused') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, invalidation);
  return answer === 'agreed' ? ok(invalidation) : fail('EAGAIN');
}

type StartAnswer = 'agreed' | 'refused' | 'refused by a classic notifier';

/** What start() does but for giving up: refused if the range is not blockable and some device said so. */
export function* openBracket(
  k: Kernel,
  mm: Mm,
  request: InvalidationRequest,
): Task<{ readonly invalidation: Invalidation; readonly answer: StartAnswer }> {
  const { subscriptions } = mm;
  // Two starts commute: the first makes the sequence odd, for both.
  yield willRaise('mmu_notifier_invalidate_range_start.seq', subscriptions.object);
  subscriptions.activeInvalidateRanges += 1;
  const hit = overlapping(subscriptions.itree, request.range);
  if (hit.length > 0 && !isInvalidating(subscriptions)) {
    moveSeq(k, mm);
  }
  const range: NotifierRange = { mm: mm.id, ...request };
  const invalidation: Invalidation = {
    id: nextId(k),
    by: k.context.current,
    mm,
    range: request.range,
    hit: hit.map(({ id }) => id),
    answers: new Map(hit.map(({ id, device }) => [id, { device, given: false }])),
    told: range,
    answer: 'agreed',
  };
  k.invalidations.set(invalidation.id, invalidation);
  k.emit({
    kind: 'invalidate_range_start',
    id: invalidation.id,
    mm: mm.id,
    first: request.range.first,
    end: request.range.end,
    event: request.event,
    owner: request.owner,
  });
  const { invalidateSeq } = subscriptions;
  const answer = yield* k.fn.startCallbacks(k, invalidation, range, hit, invalidateSeq);
  if (answer === 'refused') invalidation.answer = 'refused';
  return { invalidation, answer };
}

/** __mmu_notifier_invalidate_range_start(): the interval tree is served first, then the list of classic notifiers. */
export function* startCallbacks(
  k: Kernel,
  invalidation: Invalidation,
  range: NotifierRange,
  hit: readonly Subscription[],
  current: Seq,
): Task<StartAnswer> {
  const nonBlockable = range.blocking === 'non-blockable';
  const answer = yield* k.fn.mnItreeInvalidate(k, range, hit, current);
  if (answer === 'again' && nonBlockable) return 'refused';
  // mn_itree_release() is of the tree alone: exit calls release() of the others.
  if (range.event === 'release' || !hasClassicNotifiers(k, invalidation.mm)) return 'agreed';
  const listed = yield* k.fn.mnHlistInvalidateRangeStart(k, invalidation, range);
  return listed === 'again' && nonBlockable ? 'refused by a classic notifier' : 'agreed';
}

/**
 * Closes a bracket. The last one to close makes the sequence even and lets waiting readers and inserts go on. Classic
 * notifiers hear of the end after that.
 */
export function* mmuNotifierInvalidateRangeEnd(k: Kernel, invalidation: Invalidation): Task<void> {
  const { mm, range } = invalidation;
  const { subscriptions } = mm;
  yield willLower('mmu_notifier_invalidate_range_end.seq', subscriptions.object);
  invariant(k.invalidations.delete(invalidation.id), 'MN1', { id: invalidation.id });
  touch(k.context, periodOf(mm, subscriptions.invalidateSeq), 'end');
  subscriptions.activeInvalidateRanges -= 1;
  if (subscriptions.activeInvalidateRanges === 0 && isInvalidating(subscriptions)) {
    yield* k.fn.mnItreeInvEnd(k, mm);
  }
  k.emit({
    kind: 'invalidate_range_end',
    id: invalidation.id,
    mm: mm.id,
    first: range.first,
    end: range.end,
  });
  const unheard = invalidation.answer === 'refused' || invalidation.told?.event === 'release';
  if (unheard || !hasClassicNotifiers(k, mm)) return;
  yield* k.fn.mnHlistInvalidateEnd(k, invalidation);
}

/**
 * mn_itree_inv_end(): inserts and removals that waited are done, then who waits goes on. Under the spinlock of the
 * subscriptions, so in one step.
 */
export function* mnItreeInvEnd(k: Kernel, mm: Mm): Task<void> {
  const { subscriptions } = mm;
  moveSeq(k, mm);
  applyDeferred(subscriptions);
  wake(k.context, subscriptions.object, 'lower');
}

/** To odd while ranges are being invalidated, to even when the last of them is done (MN2). */
export function moveSeq({ invalidations }: Kernel, { id, subscriptions }: Mm): void {
  const next = seq(subscriptions.invalidateSeq + 1);
  const { activeInvalidateRanges: active } = subscriptions;
  const open = [...invalidations.values()].filter(({ mm }) => mm.id === id).length;
  invariant(isOdd(next) ? active > 0 : active === 0 && open === 0, 'MN2', { next, active, open });
  subscriptions.invalidateSeq = next;
}

/** While the sequence is this one: every bracket that ends in it has a part in its end. */
function periodOf({ id }: Mm, sequence: Seq): ObjectId {
  return objectId('subscriptions', id, sequence);
}

/** What waited for the sequence to become even. */
export function applyDeferred(subscriptions: NotifierSubscriptions): void {
  for (const { action, subscription } of subscriptions.deferred) {
    if (action === 'insert') insertInterval(subscriptions.itree, subscription);
    else removeInterval(subscriptions.itree, subscription);
  }
  subscriptions.deferred.length = 0;
}

/**
 * Starts a read side: what is read from here on is void once mmuIntervalReadRetry() says so.
 *
 *   reader                              invalidation
 *     seq = sub.invalidateSeq
 *                                         subscriptions.invalidateSeq |= 1
 *                                         driver lock; sub.invalidateSeq = odd; unlock
 *     driver lock
 *       ReadRetry() sees the new seq      <- required, else a stale page is kept
 *
 * Holds: nothing that a callback takes, because this waits for callbacks. Yields: yes.
 */
export function* mmuIntervalReadBegin(k: Kernel, mm: Mm, sub: IntervalSub): Task<Seq> {
  const { subscriptions } = mm;
  // Starting a bracket cannot make this wait, nor go on: only the device's own callback and the end of the last can.
  yield waitAgain(
    'mmu_interval_read_begin.wait',
    subscriptions.object,
    sub.object,
    () => subscriptions.invalidateSeq !== sub.invalidateSeq,
  );
  const begun = sub.invalidateSeq;
  touch(k.context, periodOf(mm, begun), 'ended');
  holdToCompare(k.context, sub.object, begun);
  return begun;
}

/**
 * Registers a device's interest in `range`. A subscription made while the range is being invalidated starts
 * invalid: readBegin waits for that invalidation.
 *
 * Returns: EINVAL for a range that is empty or ends beyond the address space; the owner is called back from now on.
 */
export function* mmuIntervalNotifierInsert(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  device: { readonly owner: DeviceOwner; readonly driver: DeviceDriver },
): Task<Result<IntervalSub>> {
  if (range.first >= range.end || range.end > PAGES_MAX) return fail('EINVAL');
  const { subscriptions } = mm;
  yield willWrite('mmu_interval_notifier_insert.tree', subscriptions.object);
  const id = nextId(k);
  const sub: IntervalSub = {
    id,
    range,
    object: objectId('interval_sub', mm.id, id),
    invalidateSeq: subscriptions.invalidateSeq,
  };
  const subscription: Subscription = {
    id,
    range,
    sub,
    driver: device.driver,
    device: device.owner,
    callee: calleeOf(device.owner),
  };
  if (subscriptions.activeInvalidateRanges === 0) {
    // Odd, and not the current value: neither "being invalidated" nor ever handed out.
    sub.invalidateSeq = seq(subscriptions.invalidateSeq - 1);
    insertInterval(subscriptions.itree, subscription);
  } else if (isInvalidating(subscriptions)) {
    subscriptions.deferred.push({ action: 'insert', subscription });
  } else {
    moveSeq(k, mm);
    sub.invalidateSeq = subscriptions.invalidateSeq;
    insertInterval(subscriptions.itree, subscription);
  }
  return ok(sub);
}

/** After mmuIntervalNotifierRemove(): the caller frees what the callback works with. */
export function assertNotCalledBack(k: Kernel, mm: Mm, sub: IntervalSub): void {
  touch(k.context, mm.subscriptions.object, 'read');
  for (const { id, hit } of k.invalidations.values()) {
    invariant(!hit.includes(sub.id), 'MN4', { subscription: sub.id, invalidation: id });
  }
  const waits = mm.subscriptions.deferred.some(({ subscription }) => subscription.id === sub.id);
  invariant(!waits, 'MN6', { subscription: sub.id });
}

/**
 * Unregisters. On return no callback of this subscription is running or will run.
 *
 * Holds: no lock that a callback takes, because it waits for them (rule 20 of the driver contract).
 * Throws: KernelBug (MN3) for a subscription that is removed already, or is being removed.
 */
export function* mmuIntervalNotifierRemove(_k: Kernel, mm: Mm, sub: IntervalSub): Task<void> {
  const { subscriptions } = mm;
  yield willWrite('mmu_interval_notifier_remove.tree', subscriptions.object);
  const { deferred } = subscriptions;
  const pending = deferred.findIndex((entry) => entry.subscription.id === sub.id);
  if (pending >= 0 && deferred[pending]?.action === 'insert') {
    deferred.splice(pending, 1);
    return;
  }
  const subscription = sameInterval(subscriptions.itree, sub);
  // It is in no tree any more, or in the list of removals already: Linux corrupts the one or the other.
  invariant(subscription !== 'none' && pending < 0, 'MN3', { subscription: sub.id });
  if (!isInvalidating(subscriptions)) {
    removeInterval(subscriptions.itree, subscription);
    return;
  }
  deferred.push({ action: 'remove', subscription });
  const seen = subscriptions.invalidateSeq;
  yield waitUntil(
    'mmu_interval_notifier_remove.wait',
    subscriptions.object,
    () => subscriptions.invalidateSeq !== seen,
  );
}
