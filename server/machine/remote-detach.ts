/**
 * Gives back everything that a device holds when its client is fenced or gone, in whichever phase of whatever it
 * was doing. Requests that still run are waited for: a lock that they were about to get is given back too.
 */

import { type Task, waitUntil } from '../task/task.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { holdsUpOthers, type RemoteDevice, reattachDevice } from './remote-device.ts';

/**
 * Holds:  nothing. Yields: yes. The device must be fenced: nobody may wait for its answers.
 *
 * On return it holds no lock, no migration, no locked page, no unplaced frame and no subscription, and is attached
 * if it came back meanwhile. Its private memory stays its own.
 */
export function* giveBackAll(device: RemoteDevice): Task<void> {
  device.leavings += 1;
  yield* giveBack(device);
  left(device);
}

/** giveBackAll(), and the private memory is lost: its pages become poison. Yields: yes. */
export function* detachDevice(device: RemoteDevice): Task<void> {
  device.leavings += 1;
  yield* giveBack(device);
  yield* device.undertaker.surrenderMemory();
  device.chunks.length = 0;
  device.privateInUse.clear();
  left(device);
}

function left(device: RemoteDevice): void {
  device.leavings -= 1;
  if (device.leavings === 0 && device.state === 'returning') reattachDevice(device);
}

function* giveBack(device: RemoteDevice): Task<void> {
  // A request may be about to get what another one waits for, whoever's it is: so again after each that ends.
  for (;;) {
    yield* giveBackHeld(device);
    const { requestsLingering } = device;
    if (requestsLingering === 0) break;
    yield waitUntil(
      'detach.requests',
      device.idle,
      () => device.requestsLingering < requestsLingering || holdsAnything(device),
    );
  }
  for (const [id, sub] of device.subs) {
    device.subs.delete(id);
    yield* device.api.mmuIntervalNotifierRemove(sub);
  }
}

function holdsAnything(device: RemoteDevice): boolean {
  return holdsUpOthers(device) || device.unplaced.size > 0;
}

function* giveBackHeld(device: RemoteDevice): Task<void> {
  // Pages before mmap_lock: they were locked inside it.
  if (device.locked.size > 0) yield* device.api.unlockAndPutPages(takeAll(device.locked));
  for (const [id, open] of device.migrations) {
    device.migrations.delete(id);
    yield* device.undertaker.abandonMigration(open.migrate);
  }
  for (const pfn of takeAll(device.unplaced)) yield* device.api.putDevicePage(pfn);
  while (device.mmapLocks > 0) {
    device.mmapLocks -= 1;
    yield* device.api.mmapReadUnlock();
  }
}

function takeAll(frames: Set<Pfn>): Pfn[] {
  const all = [...frames];
  frames.clear();
  return all;
}
