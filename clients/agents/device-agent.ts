import type { PgmapOwner } from '../../server/abi/device-api.ts';
import type { Task } from '../../server/task/task.ts';
import { PAGES_MAX, pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { OK, type Result } from '../../server/vocabulary/errno.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../drivers/dmirror/dmirror.ts';
import { type Dmirror, withDriverLock } from '../drivers/dmirror/dmirror-state.ts';
import { CallRefused } from '../sdk/call-refusal.ts';
import type { VerbResult } from '../sdk/conductor.ts';
import {
  type Device,
  DeviceClient,
  type DeviceFactory,
  type DeviceKernel,
} from '../sdk/device-client.ts';
import type { ClientPast } from '../sdk/moments.ts';
import { performDeviceVerb } from './device-verbs.ts';
import { newHandMigration } from './hand-migration.ts';
import type { DeviceHand } from './hand-verbs.ts';
import {
  type ParkedDevice,
  parkDevice,
  parkPast,
  stillDevice,
  unparkDevice,
} from './parked-device.ts';
import { type AgentOptions, type PlayedAgent, watching } from './played-agent.ts';
import { newLoops } from './read-loops.ts';

/** dmirror as a device of the SDK. */
export const dmirrorDevice: DeviceFactory = (kernel) => handDevice(kernel, undefined).device;

interface HandDevice {
  readonly hand: DeviceHand;
  readonly device: Device;
}

function handDevice(
  { api, context, waitFor }: DeviceKernel,
  pgmapOwner: PgmapOwner | undefined,
): HandDevice {
  // The number distinguishes devices of one world; this process has one.
  const dmirror = newDmirror({ api, context, deviceNumber: 0, pgmapOwner });
  const hand = {
    dmirror,
    loops: newLoops(() => waitFor(Promise.resolve())),
    migration: newHandMigration(),
  };
  const device: Device = {
    driver: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    *recover() {
      // The server gave the open migration up, and with it mmap_lock.
      hand.migration.open = 'none';
      return yield* recoverDmirror(dmirror);
    },
    perform: (params) => performDeviceVerb(hand, params),
  };
  return { hand, device };
}

/** The same, with what it held before the page was loaded again. */
function unparkedDevice(
  kernel: DeviceKernel,
  parked: ParkedDevice,
  pgmapOwner: PgmapOwner | undefined,
): HandDevice {
  const { hand, device } = handDevice(kernel, pgmapOwner);
  if (kernel.adopt === undefined) throw new Error('a parked session needs a kernel that adopts');
  unparkDevice(hand, parked, kernel.adopt);
  return { hand, device: { ...device, open: opened } };
}

function* opened(): Task<Result<void>> {
  return OK;
}

/**
 * After a fence the server has forgotten the subscription and what the page table maps; no message is needed. The
 * private memory is as it was.
 *
 * Takes: driver_lock. Returns: as mmuIntervalNotifierInsert().
 */
function* recoverDmirror(dmirror: Dmirror): Task<Result<void>> {
  yield* withDriverLock(dmirror, 'dmirror_recover.lock', function* () {
    dmirror.sub = 'closed';
    dmirror.pageTable.entries.clear();
  });
  const all = pageRange(pageIndex(0), pageIndex(PAGES_MAX));
  const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(all);
  if (!inserted.ok) return inserted;
  dmirror.sub = inserted.value;
  return OK;
}

/** A dmirror device in a lab. */
export function startDevice(options: AgentOptions): PlayedAgent {
  const { url, lab, name, create, takeOver, connectMs, say, watch, onLoss = 'rejoin' } = options;
  const { comeBackMs, parked, pgmapOwner } = options;
  /** Between setup and finalize by hand the device is not slow: a person thinks. */
  const hand = { migrates: false, verbs: 0 };
  /** Used up by the first machine: another one knows nothing of it. */
  let left = parked?.device ?? 'none';
  let now: DeviceHand | 'none' = 'none';
  /** The lab goes back to a moment that may be one within a migration by hand. */
  let back = false;
  const client: DeviceClient<ParkedDevice> = new DeviceClient<ParkedDevice>({
    url,
    lab,
    name,
    connectMs,
    onLoss,
    ...(create === undefined ? {} : { create }),
    ...(takeOver === undefined ? {} : { takeOver }),
    ...(parked === undefined
      ? {}
      : { parked: parked.session, past: parked.past as ClientPast<ParkedDevice> }),
    ...(comeBackMs === undefined ? {} : { comeBackMs }),
    device: (kernel) => {
      watch?.began(kernel.api.owner);
      const made =
        left === 'none' ? handDevice(kernel, pgmapOwner) : unparkedDevice(kernel, left, pgmapOwner);
      left = 'none';
      now = made.hand;
      hand.migrates = made.hand.migration.open !== 'none';
      hand.verbs = 0;
      if (back && hand.migrates) client.connection.notify('held', { after: 'migrate_vma_setup' });
      back = false;
      const { device } = made;
      return { ...device, perform: (params) => standing(device.perform(params), params.verb) };
    },
    ...watching(watch, () => client.connection.name),
    standsStill: () => (now === 'none' ? 'busy' : stillDevice(now)),
    backTo: (kept) => {
      left = kept;
      back = true;
    },
    fenced: (why) =>
      say(`${client.connection.name} was fenced: ${why} It drops its page table and comes back.`),
    trouble: (error) => {
      // What it sent between the fence and hearing of it is refused, and void anyway.
      if (error instanceof CallRefused && error.refusal.code === 'fenced') return;
      say(error instanceof Error ? error.message : String(error));
    },
  });
  function* standing(performed: Task<VerbResult>, verb: string): Task<VerbResult> {
    const mine = now;
    hand.verbs += 1;
    let result: VerbResult;
    try {
      result = yield* performed;
    } finally {
      if (mine === now) hand.verbs -= 1;
    }
    if (result.errno !== 'OK') return result;
    if (verb === 'setup') {
      hand.migrates = true;
      client.connection.notify('held', { after: 'migrate_vma_setup' });
    } else if (verb === 'finalize') {
      hand.migrates = false;
      client.connection.notify('went_on', {});
    }
    return result;
  }
  return {
    close: () => client.close(),
    closed: client.connection.closed,
    greeted: client.connection.greeted,
    left: client.connection.left,
    actors: () => [client.connection.name],
    perform: (_, params) => client.perform(params),
    ping: () => client.connection.ping(),
    park() {
      const { connection } = client;
      if (now === 'none' || hand.verbs > 0 || connection.inFlight > 0) return 'busy';
      const device = parkDevice(now);
      const session = device === 'busy' ? 'none' : connection.park();
      const past = parkPast(client.past);
      return device === 'busy' || session === 'none' ? 'busy' : { session, device, past };
    },
    hold: (_, after) => client.hold(after),
    go: () => {
      client.go();
      if (hand.migrates) client.connection.notify('held', { after: 'migrate_vma_setup' });
    },
  };
}
