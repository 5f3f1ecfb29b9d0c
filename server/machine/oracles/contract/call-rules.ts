/**
 * When a driver may call what: with which locks, from where, with which sequence.
 *
 * Rules: CR3, CR11, CR12, CR18, CR19, CR20, CR37.
 */
import type { HmmRangeRequest, IntervalSub } from '../../../abi/device-api.ts';
import type { HmmPfn } from '../../../abi/hmm-pfn.ts';
import { hexAddress, type PageIndex } from '../../../vocabulary/address.ts';
import type { Result } from '../../../vocabulary/errno.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import { faultOfCaller, insideCallback } from './callback-rules.ts';
import {
  breach,
  heldDriverLock,
  type Lookup,
  touchDevice,
  type WatchedDevice,
} from './contract.ts';
import { firstCovering } from './mapping-rules.ts';

/** Answers of hmm_range_fault() that are remembered, for each device: more threads than this are not distinguished. */
const LOOKUPS_MAX = 64;
/** Sequences that are remembered, for each subscription. */
const BEGUN_MAX = 64;

/** Rule 11: what may wait for a callback is not called under the lock that callbacks take. */
export function checkUnlocked(device: WatchedDevice, call: string, page: PageIndex): void {
  if (heldDriverLock(device) === 'none') return;
  breach(device, 'CR11', page, `called ${call}() with its driver lock held`);
}

/** Rule 12: the caller holds mmap_lock. From afar such a call is refused before it gets here. */
export function checkMmapLock(
  device: WatchedDevice,
  call: string,
  page: PageIndex,
  mm: number,
): void {
  if (device.place === 'far' || device.mmapLocks > 0) return;
  if (faultOfCaller(device, mm) !== 'none') return;
  breach(device, 'CR12', page, `called ${call}() without mmap_lock`);
}

export function readBegun(device: WatchedDevice, sub: IntervalSub, seq: Seq): void {
  const begun = device.subs.get(sub.id)?.begun;
  if (begun === undefined || begun.includes(seq)) return;
  if (begun.length === BEGUN_MAX) begun.shift();
  begun.push(seq);
}

/** Rules 3 and 18: a lookup stands on a sequence that mmu_interval_read_begin() has returned before it. */
export function checkLookup(
  device: WatchedDevice,
  { sub, notifierSeq, range }: HmmRangeRequest,
): void {
  const begun = device.subs.get(sub.id)?.begun ?? [];
  if (begun.includes(notifierSeq)) return;
  const what = `called hmm_range_fault() of ${hexAddress(range.first)} with the sequence ${notifierSeq}`;
  if (begun.length === 0) {
    const text = `${what}, and has not called mmu_interval_read_begin() on this subscription`;
    breach(device, 'CR18', range.first, text);
    return;
  }
  const text = `${what}, which mmu_interval_read_begin() did not return (last ${begun.at(-1)})`;
  breach(device, 'CR3', range.first, text);
}

export function lookedUp(
  device: WatchedDevice,
  { sub, notifierSeq, range }: HmmRangeRequest,
  n: number,
  walked: Result<readonly HmmPfn[]>,
): void {
  if (!walked.ok) return;
  if (device.lookups.length === LOOKUPS_MAX) forget(device, device.lookups.shift() as Lookup);
  device.lookups.push({ n, sub: sub.id, seq: notifierSeq, range, pfns: walked.value });
}

/** What it gave may still be entered; a device that enters it is believed. */
function forget(device: WatchedDevice, { sub, seq }: Lookup): void {
  if (device.subs.get(sub)?.real.invalidateSeq === seq) device.forgotten.set(sub, seq);
}

/** Rule 20: a removal waits for callbacks, so it is not theirs. */
export function checkRemoval(device: WatchedDevice, sub: IntervalSub): void {
  checkUnlocked(device, 'mmu_interval_notifier_remove', sub.range.first);
  if (device.place === 'far' || !insideCallback(device)) return;
  const text = 'called mmu_interval_notifier_remove() from a callback, which it waits for';
  breach(device, 'CR20', sub.range.first, text);
}

/** Rule 37: the last reference on the address space is not dropped where the way down waits for the callback. */
export function checkPut(device: WatchedDevice): void {
  if (device.place === 'far' || !insideCallback(device)) return;
  breach(
    device,
    'CR37',
    0 as PageIndex,
    'called mmput() from a callback: if it is the last, its end waits for this',
  );
}

/** Rule 19: entries hang on a live subscription. */
export function subRemoved(device: WatchedDevice, sub: IntervalSub): void {
  touchDevice(device, 'write');
  device.subs.delete(sub.id);
  device.forgotten.delete(sub.id);
  let left: PageIndex | 'none' = 'none';
  for (const [page, entry] of device.entries) {
    if (entry.sub !== sub.id) continue;
    entry.sub = firstCovering(device, page);
    if (entry.sub === 'none' && left === 'none') left = page;
  }
  if (left === 'none') return;
  const text = `removed a subscription and still maps ${hexAddress(left)}, which no other of its covers`;
  breach(device, 'CR19', left, text);
}
