/**
 * Gives back everything that a device holds when its client is fenced or gone, in whichever phase of whatever it
 * was doing. Requests that still run are waited for: a lock that they were about to get is given back too.
 */

import { wake } from '../../task/context.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { type RemoteDevice, reattachDevice } from './remote-device.ts';
import { ownLockUnused, usingLock } from './remote-lock.ts';

/**
 * Holds:  nothing. Yields: yes. The device must be fenced: no task may wait for its answers.
 *
 * On return it holds no lock, no reference on the mm, no migration, no locked page, no unplaced frame and no
 * subscription, and is attached if it came back meanwhile. Its private memory stays its own.
 */
export function* giveBackAll(device: RemoteDevice): Task<void> {
  const turn = beginLeaving(device);
  yield* giveBack(device);
  yield* awaitTurn(device, turn);
  endLeaving(device);
}

/** giveBackAll(), and the private memory is lost: its pages become poison. Yields: yes. */
export function* detachDevice(device: RemoteDevice): Task<void> {
  const turn = beginLeaving(device);
  // First: the client that takes the name next is not notified of frames that were never its own.
  device.chunks.length = 0;
  device.privateInUse.clear();
  yield* giveBack(device);
  yield* awaitTurn(device, turn);
  yield* device.teardown.surrenderMemory();
  endLeaving(device);
}

function beginLeaving(device: RemoteDevice): number {
  const turn = device.leavingsBegun;
  device.leavingsBegun += 1;
  return turn;
}

/** A fence may still be giving back when a detach begins: the first has taken what the other misses. */
function* awaitTurn(device: RemoteDevice, turn: number): Task<void> {
  yield waitUntil('detach.turn', device.idle, () => device.leavingsEnded === turn);
}

function endLeaving(device: RemoteDevice): void {
  device.leavingsEnded += 1;
  wake(device.context, device.idle);
  if (device.state === 'returning') reattachDevice(device);
}

function* giveBack(device: RemoteDevice): Task<void> {
  // A request may be about to get what a request of any client waits for: so again after each that ends.
  for (;;) {
    yield* giveBackHeld(device);
    const { requestsLingering } = device;
    if (requestsLingering === 0) break;
    yield waitUntil(
      'detach.requests',
      device.idle,
      () => device.requestsLingering < requestsLingering || holdsUnused(device),
    );
  }
  for (const [id, sub] of device.subs) {
    device.subs.delete(id);
    device.inTwoPasses.delete(id);
    yield* device.api.mmuIntervalNotifierRemove(sub);
  }
  const { notifier } = device;
  if (notifier === 'none') return;
  device.notifier = 'none';
  yield* device.api.mmuNotifierUnregister(notifier);
  device.classic = 'none';
}

/** Something is held that no running request uses. */
function holdsUnused(device: RemoteDevice): boolean {
  if (device.locked.size > 0 || device.unplaced.size > 0 || device.mmUsers > 0) return true;
  if (device.got.length > 0) return true;
  for (const { phase } of device.migrations.values()) if (phase !== 'moving') return true;
  return device.ownLock.locks > 0 && ownLockUnused(device);
}

function* giveBackHeld(device: RemoteDevice): Task<void> {
  // Pages before mmap_lock: they were locked inside it.
  if (device.locked.size > 0) yield* device.api.unlockAndPutPages(takeAll(device.locked));
  for (const [id, open] of device.migrations) {
    if (open.phase === 'moving') continue;
    device.migrations.delete(id);
    yield* usingLock(device, open.under, device.teardown.abandonMigration(open.migrate));
  }
  if (device.got.length > 0) yield* device.api.putPages(device.got.splice(0));
  for (const pfn of takeAll(device.unplaced)) yield* device.api.putDevicePage(pfn);
  while (device.ownLock.locks > 0 && ownLockUnused(device)) {
    device.ownLock.locks -= 1;
    yield* device.api.mmapReadUnlock();
  }
  while (device.mmUsers > 0) {
    device.mmUsers -= 1;
    // What takes the address space down asks every device: not this task, for which others may wait.
    yield* device.api.mmputAsync();
  }
}

function takeAll(frames: Set<Pfn>): Pfn[] {
  const all = [...frames];
  frames.clear();
  return all;
}
