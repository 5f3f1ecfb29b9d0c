/**
 * Classic notifiers: a list of drivers that hear of both ends of every bracket of an address space. Source:
 * mm/mmu_notifier.c (6.1), mn_hlist_invalidate_range_start() and its neighbours.
 *
 * They are called one after the other, the one that was registered last first. Walks of the list are SRCU read sides:
 * an element that is taken out stays where a walk stands on it. Differs: the grace period waits for walks of this
 * address space alone, where Linux has one for all. Leaves out: test_young() and clear_young(). Rules: MN5.
 */
import type { NotifierRange } from '../../abi/device-api.ts';
import { serial, touch, wake } from '../../task/context.ts';
import { type Task, willRead } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Invalidation, Kernel } from '../kernel.ts';
import type { Mm } from '../memory/mm.ts';
import { answerObject } from './ask-devices.ts';
import type { ListedNotifier, NotifierSubscriptions } from './subscriptions.ts';

type Answer = 'done' | 'again';

/** !hlist_empty(&subscriptions->list). */
export function hasClassicNotifiers({ context }: Kernel, { subscriptions }: Mm): boolean {
  touch(context, subscriptions.listObject, 'read');
  return subscriptions.list !== 'none';
}

/**
 * Calls invalidate_range_start() of each. All are called, whatever some say; after a refusal those that have an end are
 * told at once: a driver cannot know whether its own start was the one that failed, so one that may refuse has no end.
 *
 * Holds: as mmuNotifierInvalidateRangeStart(). Takes: the drivers' locks. Yields: yes.
 * Returns: 'again' if some driver said so.
 */
export function* mnHlistInvalidateRangeStart(
  k: Kernel,
  invalidation: Invalidation,
  range: NotifierRange,
): Task<Answer> {
  const answers: Answer[] = [];
  yield* walkList(k, invalidation.mm, 'mn_hlist_invalidate_range_start', function* (notifier) {
    answers.push(yield* callStart(k, invalidation, range, notifier));
  });
  const answer = answers.includes('again') ? 'again' : 'done';
  if (answer === 'again' && range.blocking === 'non-blockable') {
    yield* k.fn.mnHlistInvalidateEnd(k, invalidation);
  }
  return answer;
}

/**
 * mmu_notifier_invalidate_range(), since 6.6 mmu_notifier_arch_invalidate_secondary_tlbs(): devices that walk the page
 * table themselves forget what they remember of `range`.
 *
 * Holds: often a PTE lock; the hook waits for nobody. Yields: yes, where there is such a device.
 */
export function* mmuNotifierInvalidateRange(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  if (!hasSecondaryTlbs(k, mm)) return;
  yield* walkList(k, mm, 'mmu_notifier_invalidate_range', function* (notifier) {
    const { device, driver } = notifier;
    const flush = driver.mmuNotifier?.invalidateSecondaryTlbs;
    if (flush === undefined) return;
    const { first, end } = range;
    beginCall(k, notifier);
    const args = { first, end };
    const result = 'OK';
    k.emit({ kind: 'callback', function: 'arch_invalidate_secondary_tlbs', device, args });
    yield* flush(range);
    k.emit({ kind: 'callback-return', function: 'arch_invalidate_secondary_tlbs', device, result });
    endCall(k, notifier);
  });
}

function hasSecondaryTlbs({ context }: Kernel, { subscriptions }: Mm): boolean {
  touch(context, subscriptions.listObject, 'read');
  for (let one = subscriptions.list; one !== 'none'; one = one.next) {
    if (one.driver.mmuNotifier?.invalidateSecondaryTlbs !== undefined) return true;
  }
  return false;
}

/**
 * What the end of a bracket does for secondary TLBs: each that 6.1 has not flushed under the lock of the entry, it
 * flushes here. Differs: it does so once more for those that it has (mmu_notifier_invalidate_range_only_end()).
 */
export function invalidateRangeAtEnd(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  return k.fn.mmuNotifierInvalidateRange(k, mm, range);
}

/** The second half of ptep_clear_flush_notify(): no CPU and no device remembers what stood there. */
export function* flushTlbNotify(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  yield* k.fn.flushTlbRange(k, mm, range);
  yield* k.fn.mmuNotifierInvalidateRange(k, mm, range);
}

/** Calls invalidate_range_end() of each that is listed now, whether its start was called or not. Yields: yes. */
export function* mnHlistInvalidateEnd(k: Kernel, invalidation: Invalidation): Task<void> {
  const { mm, told: range } = invalidation;
  if (range === undefined) return;
  yield* k.fn.invalidateRangeAtEnd(k, mm, range.range);
  yield* walkList(k, mm, 'mn_hlist_invalidate_end', function* (notifier) {
    const end = notifier.driver.mmuNotifier?.invalidateRangeEnd;
    if (end === undefined) return;
    const { device } = notifier;
    const args = { first: range.range.first, end: range.range.end, event: range.event };
    beginCall(k, notifier);
    k.emit({ kind: 'callback', function: 'invalidate_range_end', device, args });
    yield* end(range);
    k.emit({ kind: 'callback-return', function: 'invalidate_range_end', device, result: 'OK' });
    endCall(k, notifier);
  });
}

/** mn_hlist_release(): the address space goes away; each driver hears of it, and is taken out of the list. */
export function* mnHlistRelease(k: Kernel, mm: Mm): Task<void> {
  const { subscriptions } = mm;
  yield* walkList(k, mm, 'mn_hlist_release', (notifier) => callRelease(k, mm, notifier));
  for (let one = subscriptions.list; one !== 'none'; one = one.next) {
    touch(k.context, one.object, 'write');
    one.state = 'unlisted';
  }
  touch(k.context, subscriptions.listObject, 'write');
  subscriptions.list = 'none';
  subscriptions.leaving += 1;
  yield* k.fn.synchronizeSrcu(k, mm);
  subscriptions.leaving -= 1;
}

export function* callRelease(k: Kernel, mm: Mm, notifier: ListedNotifier): Task<void> {
  const { device, driver } = notifier;
  beginCall(k, notifier);
  k.emit({ kind: 'callback', function: 'release', device, args: { mm: mm.id } });
  yield* driver.release();
  k.emit({ kind: 'callback-return', function: 'release', device, result: 'OK' });
  endCall(k, notifier);
}

/** A walk of the list, as an SRCU read side. Each look at a link is a step: elements come and go meanwhile. */
export function* walkList(
  k: Kernel,
  { subscriptions }: Mm,
  by: string,
  visit: (notifier: ListedNotifier) => Task<void>,
): Task<void> {
  const { listObject } = subscriptions;
  yield willRead(`${by}.list`, listObject);
  const reader = srcuReadLock(k, subscriptions);
  let at = subscriptions.list;
  while (at !== 'none') {
    yield* visit(at);
    yield willRead(`${by}.next`, listObject);
    assertNotFreed(k, at);
    at = at.next;
  }
  srcuReadUnlock(k, subscriptions, reader);
}

/** srcu_read_lock(): what it returns names the read side. Not a yield point. */
export function srcuReadLock(
  { context }: Kernel,
  { readers, readersObject }: NotifierSubscriptions,
): number {
  const reader = serial(context);
  touch(context, readersObject, 'add');
  readers.add(reader);
  return reader;
}

/** srcu_read_unlock(). Not a yield point. */
export function srcuReadUnlock(
  { context }: Kernel,
  { readers, readersObject }: NotifierSubscriptions,
  reader: number,
): void {
  readers.delete(reader);
  wake(context, readersObject, 'add');
}

function* callStart(
  k: Kernel,
  { answers }: Invalidation,
  range: NotifierRange,
  notifier: ListedNotifier,
): Task<Answer> {
  const { id, device, driver } = notifier;
  const start = driver.mmuNotifier?.invalidateRangeStart;
  if (start === undefined) return 'done';
  const answer = { device, given: false };
  answers?.set(id, answer);
  const { first, end } = range.range;
  const args = { first, end, event: range.event, owner: range.owner };
  beginCall(k, notifier);
  k.emit({ kind: 'callback', function: 'invalidate_range_start', device, args });
  const said = yield* start(range);
  k.emit({ kind: 'callback-return', function: 'invalidate_range_start', device, result: said });
  endCall(k, notifier);
  if (said === 'again') return said;
  touch(k.context, answerObject(id), 'lower');
  answer.given = true;
  return said;
}

function beginCall(k: Kernel, notifier: ListedNotifier): void {
  assertNotFreed(k, notifier);
  touch(k.context, notifier.object, 'add');
  notifier.calls += 1;
}

function endCall({ context }: Kernel, notifier: ListedNotifier): void {
  touch(context, notifier.object, 'add');
  notifier.calls -= 1;
}

/** A use after free: its driver was told that nobody has it any more. */
function assertNotFreed({ context }: Kernel, { id, state, object }: ListedNotifier): void {
  touch(context, object, 'read');
  invariant(state !== 'freed', 'MN5', { notifier: id });
}
