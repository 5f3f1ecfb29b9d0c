/**
 * What a driver in this world has of its subscription: the kernel's, but for `invalidateSeq`, which notes who reads it
 * (mmu_interval_read_retry) and who sets it (mmu_interval_set_seq), and under which lock.
 *
 * Rules: CR1, CR4.
 */
import type { IntervalSub } from '../../../abi/device-api.ts';
import { touch } from '../../../task/context.ts';
import type { Lock } from '../../../task/lock.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import {
  type Asked,
  breach,
  heldDriverLock,
  type Lookup,
  type WatchedDevice,
  type WatchedSub,
} from './contract.ts';

/** The device's subscription `real`, known from here on. */
export function watchedSub(device: WatchedDevice, real: IntervalSub): WatchedSub {
  const known = device.subs.get(real.id);
  if (known !== undefined) return known;
  const handed = device.place === 'far' ? real : handedSub(device, real);
  const made: WatchedSub = { real, handed, begun: [] };
  device.subs.set(real.id, made);
  return made;
}

/** The kernel's half of what a driver names. */
export function realSub(device: WatchedDevice, sub: IntervalSub): IntervalSub {
  return device.subs.get(sub.id)?.real ?? sub;
}

function handedSub(device: WatchedDevice, real: IntervalSub): IntervalSub {
  const { id, range, object } = real;
  return {
    id,
    range,
    object,
    get invalidateSeq() {
      noteAsked(device, id);
      return real.invalidateSeq;
    },
    set invalidateSeq(seq: Seq) {
      checkSetting(device, real);
      real.invalidateSeq = seq;
    },
  };
}

function noteAsked(device: WatchedDevice, sub: number): void {
  const lock = heldDriverLock(device);
  if (lock === 'none') return;
  const { k, log } = device.contract;
  const { id } = k.context.current;
  const seq = device.subs.get(sub)?.real.invalidateSeq;
  if (seq !== undefined) device.askedLast.set(sub, { seq, n: log.n });
  const known = device.asked.get(id);
  const hold = holdOf(lock);
  if (known !== undefined && known.lock === lock && known.hold === hold) known.subs.add(sub);
  else device.asked.set(id, { lock, hold, subs: new Set([sub]) });
}

export type HasAsked = 'asked' | 'asked-before' | 'not-asked' | 'no-lock';

/**
 * Rule 1: since the running task took its driver lock it has asked whether the sequence of `sub` has moved.
 * 'asked-before': it has not, but in an earlier hold of the lock, behind event `since`, a task has, and nothing had
 * moved. A driver may keep that answer in a flag that its callback clears under the same lock.
 */
export function hasAsked(
  device: WatchedDevice,
  { sub, seq, n: since }: Pick<Lookup, 'sub' | 'seq' | 'n'>,
): HasAsked {
  const lock = heldDriverLock(device);
  if (lock === 'none') return 'no-lock';
  const asked: Asked | undefined = device.asked.get(device.contract.k.context.current.id);
  const inThisHold = asked !== undefined && asked.lock === lock && asked.hold === holdOf(lock);
  if (inThisHold && asked.subs.has(sub)) return 'asked';
  const last = device.askedLast.get(sub);
  return last?.seq === seq && last.n >= since ? 'asked-before' : 'not-asked';
}

/** Rule 4: the sequence is set under the lock that guards it. */
function checkSetting(device: WatchedDevice, sub: IntervalSub): void {
  touch(device.contract.k.context, sub.object, 'write');
  if (heldDriverLock(device) !== 'none') return;
  breach(device, 'CR4', sub.range.first, 'called mmu_interval_set_seq() without its driver lock');
}

/** Distinguishes one hold of a lock from the next. */
function holdOf(lock: object): number {
  return (lock as Partial<Lock>).holds ?? 0;
}
