/**
 * What a driver does when the kernel calls it.
 *
 * Rules: CR5, CR6, CR7, CR8, CR23, CR26, CR31, CR36, CR38.
 */

import type {
  DeviceFault,
  IntervalSub,
  MigrateRequest,
  NotifierRange,
} from '../../../abi/device-api.ts';
import { migrationsObject } from '../../../kernel/hmm/open-migrations.ts';
import { pgmapOwnerOf } from '../../../kernel/memory/page-references.ts';
import { readPte } from '../../../kernel/memory/page-table.ts';
import { pteIsDevicePrivate, ptePfn } from '../../../kernel/memory/pte.ts';
import { touch } from '../../../task/context.ts';
import type { Task } from '../../../task/task.ts';
import { contains, hexAddress, overlaps, type PageIndex } from '../../../vocabulary/address.ts';
import type { Result } from '../../../vocabulary/errno.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import { mappedIn, seenObject } from '../mirrors.ts';
import {
  breach,
  type OpenCallback,
  type OpenFault,
  runsUnder,
  touchDevice,
  type WatchedDevice,
} from './contract.ts';
import { watchedSub } from './watched-sub.ts';

/** Own events that were ignored lately. */
const IGNORED_MAX = 32;

export function beginCallback(
  device: WatchedDevice,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): OpenCallback {
  const { k, log } = device.contract;
  touchDevice(device, 'write');
  const task = k.context.current.id;
  const call = { n: log.n, sub: watchedSub(device, sub), range, seq, task };
  device.callbacks.add(call);
  return call;
}

/** Runs a callback in this world. Rule 8: a callback that may not wait does not. Yields: as `callback` does. */
export function* runCallback<Answer>(
  device: WatchedDevice,
  call: Pick<OpenCallback, 'range'>,
  callback: Task<Answer>,
): Task<Answer> {
  const { current } = device.contract.k.context;
  const heldBefore = current.held.length;
  const answer =
    call.range.blocking === 'blockable'
      ? yield* callback
      : yield* withoutWaiting(device, call, callback);
  const { event, range } = call.range;
  if (answer === 'again' && current.held.length > heldBefore) {
    const locks = current.held.slice(heldBefore).map((lock) => lock.class);
    breach(
      device,
      'CR8',
      range.first,
      `refused an invalidation (${event}) and kept ${locks.join(', ')}`,
    );
  }
  return answer;
}

function* withoutWaiting<Answer>(
  device: WatchedDevice,
  { range: { event, range } }: Pick<OpenCallback, 'range'>,
  callback: Task<Answer>,
): Task<Answer> {
  for (;;) {
    const next = callback.next();
    if (next.done === true) return next.value;
    if (next.value.kind === 'block') {
      const text = `waits at ${next.value.at} in a callback (${event}) that may not wait`;
      breach(device, 'CR8', range.first, text);
    }
    yield next.value;
  }
}

/** The callback returned. */
export function endCallback(
  device: WatchedDevice,
  call: OpenCallback,
  answer: 'done' | 'again',
): void {
  device.callbacks.delete(call);
  touchDevice(device, 'write');
  const { event, range, blocking } = call.range;
  if (answer === 'again') {
    if (blocking === 'blockable') refusedBlockable(device, call.range);
    return;
  }
  noteCarriedOut(device, call);
  // Rule 22: only these may be ignored.
  if (isOwn(device, call.range)) {
    if (call.sub.real.invalidateSeq !== call.seq) noteIgnored(device, call);
    return;
  }
  const left = entriesLeft(device, call);
  const [first] = left;
  const set = call.sub.real.invalidateSeq === call.seq;
  const returned = `returned from the invalidation (${event}) of ${hexAddress(range.first)} (event ${call.n})`;
  if (!set) {
    const rule = first === undefined ? 'CR5' : 'CR23';
    const what = first === undefined ? '' : `, and still maps ${hexAddress(first)}`;
    breach(
      device,
      rule,
      first ?? range.first,
      `${returned} without setting the sequence to ${call.seq}${what}`,
    );
    return;
  }
  if (first === undefined) return;
  const exclusive = device.entries.get(first)?.entry.access === 'exclusive';
  breach(
    device,
    exclusive ? 'CR36' : 'CR6',
    first,
    `${returned} and still maps ${hexAddress(first)}`,
  );
}

/** A pgmap owner that others share does not say whose migration it is. */
function isOwn(device: WatchedDevice, { mm, event, owner, range }: NotifierRange): boolean {
  if (event !== 'migrate') return event === 'exclusive' && owner === device.owner;
  const { k } = device.contract;
  if (owner !== pgmapOwnerOf(k, device.owner)) return false;
  if (owner === device.owner) return true;
  touch(k.context, migrationsObject(device.owner), 'read');
  return [...k.migrations.values()].some(
    (open) => open.owner === device.owner && open.mm.id === mm && overlaps(open.range, range),
  );
}

function noteIgnored({ ignored }: WatchedDevice, { n, range }: OpenCallback): void {
  if (ignored.length === IGNORED_MAX) ignored.shift();
  ignored.push({ n, range: range.range });
}

/** Which bracket it was for is not said: the first that looks like it and still waits for the device. */
function noteCarriedOut(
  { contract, owner }: WatchedDevice,
  { range: returned }: OpenCallback,
): void {
  const { mm, event, range } = returned;
  for (const bracket of contract.brackets.values()) {
    const same = bracket.mm === mm && bracket.event === event && !bracket.done.has(owner);
    if (!(same && bracket.range.first === range.first && bracket.range.end === range.end)) continue;
    bracket.done.add(owner);
    return;
  }
}

/** Rule 7, also for an answer that the kernel does not take. */
export function refusedBlockable(device: WatchedDevice, { event, range }: NotifierRange): void {
  const text = `refused an invalidation (${event}) of ${hexAddress(range.first)} that may wait for it`;
  breach(device, 'CR7', range.first, text);
}

/** No task waits for the callback any more: the device is cut off. */
export function dropCallback(device: WatchedDevice, call: OpenCallback): void {
  device.callbacks.delete(call);
}

/** Pages of the callback's range whose entries were there when it began, and hang on its subscription. */
function entriesLeft(
  device: WatchedDevice,
  { n, sub, range: { range } }: OpenCallback,
): PageIndex[] {
  const { k, mirrors } = device.contract;
  const table = mirrors.byDevice.get(device.owner);
  if (table === undefined) return [];
  return mappedIn(table, range)
    .filter((page) => {
      touch(k.context, seenObject(mirrors, device.owner, page), 'read');
      const entry = device.entries.get(page);
      return entry !== undefined && entry.n <= n && entry.sub === sub.real.id;
    })
    .sort((a, b) => a - b);
}

export function beginFault(device: WatchedDevice, fault: DeviceFault): OpenFault {
  const { k, log } = device.contract;
  const { mm, page, pfn } = fault;
  const open: OpenFault = { n: log.n, mm, page, pfn, task: k.context.current.id, tried: false };
  device.faults.add(open);
  return open;
}

/** migrate_to_ram returned. Rules 26 and 31. */
export function endFault(device: WatchedDevice, fault: OpenFault, result: Result<void>): void {
  device.faults.delete(fault);
  const { k } = device.contract;
  for (const [id, { under, range, holds }] of device.migrations) {
    if (under !== fault) continue;
    device.migrations.delete(id);
    if (holds === 'nothing') continue;
    const text = `returned from migrate_to_ram() (event ${fault.n}) with a migration that it did not finalize`;
    breach(device, 'CR26', range.first, text);
  }
  if (!result.ok || fault.tried) return;
  const mm = k.mms.get(fault.mm);
  if (mm === undefined) return;
  const pte = readPte(mm.table, fault.page);
  if (!(pteIsDevicePrivate(pte) && ptePfn(pte) === fault.pfn)) return;
  const where = hexAddress(fault.page);
  const text = `returned 0 from migrate_to_ram() of ${where} (event ${fault.n}) and has not tried to move the page`;
  breach(device, 'CR31', fault.page, text);
}

/** Rule 38: the address space is gone for this device from here on. */
export function released(device: WatchedDevice): void {
  touchDevice(device, 'write');
  device.mirrored = 'released';
  const [first] = device.entries.keys();
  if (first === undefined) return;
  breach(device, 'CR38', first, `returned from release() and still maps ${hexAddress(first)}`);
}

/**
 * A fault that the running task serves. Requests from afar do not say on whose behalf they come: of several faults it
 * is the one whose page `about` names, else one in its range, else any.
 */
export function faultOfCaller(
  device: WatchedDevice,
  mm: number,
  about: Pick<MigrateRequest, 'range' | 'faultPage'> | 'nothing' = 'nothing',
): OpenFault | 'none' {
  const faults = [...device.faults].filter((fault) => fault.mm === mm);
  if (device.place !== 'far') return faults.find(({ task }) => runsUnder(device, task)) ?? 'none';
  if (device.mmapLocks > 0) return 'none';
  const [any] = faults;
  if (about === 'nothing') return any ?? 'none';
  const named = faults.find(({ pfn }) => pfn === about.faultPage);
  return named ?? faults.find(({ page }) => contains(about.range, page)) ?? any ?? 'none';
}

/** The running task is one of the device's callbacks, or runs under one. Only of a driver in this world. */
export function insideCallback(device: WatchedDevice): boolean {
  for (const call of device.callbacks) if (runsUnder(device, call.task)) return true;
  return false;
}
