/**
 * What a driver with a classic notifier does when the kernel calls it at the start of a bracket.
 *
 * Rules: CR6, CR7, CR8, CR9.
 */
import type { MirrorEntry, MmuNotifierOps, NotifierRange } from '../../../abi/device-api.ts';
import { touch } from '../../../task/context.ts';
import type { Task } from '../../../task/task.ts';
import { hexAddress, type PageIndex } from '../../../vocabulary/address.ts';
import { mappedIn, mirrorEntry, seenObject } from '../mirrors.ts';
import { refusedBlockable, runCallback } from './callback-rules.ts';
import { breach, report, touchDevice, type WatchedDevice } from './contract.ts';

type Start = NonNullable<MmuNotifierOps['invalidateRangeStart']>;

/** The same callbacks, watched. */
export function watchedNotifier(device: WatchedDevice, ops: MmuNotifierOps): MmuNotifierOps {
  const { invalidateRangeStart: start } = ops;
  if (start === undefined) return ops;
  return { ...ops, invalidateRangeStart: (range) => watchedStart(device, ops, start, range) };
}

function* watchedStart(
  device: WatchedDevice,
  ops: MmuNotifierOps,
  start: Start,
  range: NotifierRange,
): Task<'done' | 'again'> {
  const { log } = device.contract;
  touchDevice(device, 'write');
  const before = entriesIn(device, range);
  const { n } = log;
  const callback = start(range);
  const answer =
    device.place === 'here' ? yield* runCallback(device, { range }, callback) : yield* callback;
  touchDevice(device, 'write');
  if (answer === 'again') checkRefusal(device, ops, range);
  else checkNothingLeft(device, range, before, n);
  return answer;
}

/** After a refusal of another driver the end of this one comes for a start that it may have refused itself. */
function checkRefusal(device: WatchedDevice, ops: MmuNotifierOps, range: NotifierRange): void {
  if (range.blocking === 'blockable') refusedBlockable(device, range);
  if (ops.invalidateRangeEnd === undefined) return;
  const { first } = range.range;
  breach(device, 'CR9', first, `refused an invalidation of ${hexAddress(first)} and has an end`);
}

/** An entry that is there still, and was not put there meanwhile. Its own migrations a driver may leave alone. */
function checkNothingLeft(
  device: WatchedDevice,
  range: NotifierRange,
  before: ReadonlyMap<PageIndex, MirrorEntry>,
  n: number,
): void {
  const isOwn = range.owner === device.owner;
  if (isOwn && (range.event === 'migrate' || range.event === 'exclusive')) return;
  for (const [page, entry] of entriesIn(device, range)) {
    if (before.get(page) !== entry) continue;
    const what = `invalidate_range_start() of ${hexAddress(range.range.first)} (event ${n})`;
    const text = `${device.owner} returned from ${what} and still maps ${hexAddress(page)}`;
    report(device.contract, 'CR6', device.owner, page, text);
    return;
  }
}

function entriesIn(
  { contract: { k, mirrors }, owner, mm }: WatchedDevice,
  { mm: of, range }: NotifierRange,
): Map<PageIndex, MirrorEntry> {
  const found = new Map<PageIndex, MirrorEntry>();
  const table = of === mm ? mirrors.byDevice.get(owner) : undefined;
  for (const page of table === undefined ? [] : mappedIn(table, range)) {
    touch(k.context, seenObject(mirrors, owner, page), 'read');
    found.set(page, mirrorEntry(mirrors, owner, page));
  }
  return found;
}
