/**
 * Gives back everything that a device holds when its client is fenced or gone, in whichever phase of whatever it
 * was doing. Requests that still run are waited for: a lock that they were about to get is then given back too.
 */

import type { Task } from '../task/task.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { requestsEnded } from './remote-actor.ts';
import type { RemoteDevice } from './remote-device.ts';

/**
 * Holds:  nothing. Yields: yes. The device must be fenced: nobody may wait for its answers.
 *
 * On return it holds no lock, no migration, no locked page, no unplaced frame and no subscription. Its private
 * memory stays its own.
 */
export function* giveBackAll(device: RemoteDevice): Task<void> {
  // First what others, and the device's own requests, may be waiting for.
  yield* giveBackHeld(device);
  yield* requestsEnded(device, 'detach.requests');
  yield* giveBackHeld(device);
  for (const [id, sub] of device.subs) {
    device.subs.delete(id);
    yield* device.api.mmuIntervalNotifierRemove(sub);
  }
}

/** giveBackAll(), and the private memory is lost: its pages become poison. Yields: yes. */
export function* detachDevice(device: RemoteDevice): Task<void> {
  yield* giveBackAll(device);
  yield* device.undertaker.surrenderMemory();
  device.chunks.length = 0;
  device.privateInUse.clear();
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
