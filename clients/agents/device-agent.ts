import type { Task } from '../../server/task/task.ts';
import { PAGES_MAX, pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { OK, type Result } from '../../server/vocabulary/errno.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../drivers/dmirror.ts';
import { type Dmirror, withDriverLock } from '../drivers/dmirror-state.ts';
import { CallRefused } from '../sdk/call-refusal.ts';
import type { VerbResult } from '../sdk/conductor.ts';
import { DeviceClient, type DeviceFactory } from '../sdk/device-client.ts';
import { performDeviceVerb } from './device-verbs.ts';
import { newHandMigration } from './hand-migration.ts';
import { type AgentOptions, type PlayedAgent, watching } from './played-agent.ts';
import { newLoops } from './read-loops.ts';

/** dmirror as a device of the SDK. */
export const dmirrorDevice: DeviceFactory = ({ api, context, waitFor }) => {
  // The number tells devices of one world apart; this process has one.
  const dmirror = newDmirror({ api, context, deviceNumber: 0 });
  const hand = {
    dmirror,
    loops: newLoops(() => waitFor(Promise.resolve())),
    migration: newHandMigration(),
  };
  return {
    driver: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    *recover() {
      // The server gave the open migration up, and with it mmap_lock.
      hand.migration.open = 'none';
      return yield* recoverDmirror(dmirror);
    },
    perform: (params) => performDeviceVerb(hand, params),
  };
};

/**
 * After a fence the server has forgotten the subscription and what the page table maps; nobody has to be told. The
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
  const { url, lab, name, connectMs, say, watch, onLoss = 'rejoin', comeBackMs } = options;
  /** Between the setup and the finalize of a hand nobody is slow: somebody thinks. */
  const hand: { migrates: 'no' | 'yes' } = { migrates: 'no' };
  const client = new DeviceClient({
    url,
    lab,
    name,
    connectMs,
    onLoss,
    ...(comeBackMs === undefined ? {} : { comeBackMs }),
    device: (kernel) => {
      watch?.began(name);
      hand.migrates = 'no';
      const device = dmirrorDevice(kernel);
      return { ...device, perform: (params) => standing(device.perform(params), params.verb) };
    },
    ...watching(watch, name),
    fenced: (why) => say(`${name} was fenced: ${why} It drops its page table and comes back.`),
    trouble: (error) => {
      // What it sent between the fence and hearing of it is refused, and void anyway.
      if (error instanceof CallRefused && error.refusal.code === 'fenced') return;
      say(error instanceof Error ? error.message : String(error));
    },
  });
  function* standing(performed: Task<VerbResult>, verb: string): Task<VerbResult> {
    const result = yield* performed;
    if (result.errno !== 'OK') return result;
    if (verb === 'setup') {
      hand.migrates = 'yes';
      client.connection.notify('held', { after: 'migrate_vma_setup' });
    } else if (verb === 'finalize') {
      hand.migrates = 'no';
      client.connection.notify('went_on', {});
    }
    return result;
  }
  return {
    close: () => client.close(),
    closed: client.connection.closed,
    greeted: client.connection.greeted,
    left: client.connection.left,
    actors: () => [name],
    perform: (_, params) => client.perform(params),
    hold: (_, after) => client.hold(after),
    go: () => {
      client.go();
      if (hand.migrates === 'yes') client.connection.notify('held', { after: 'migrate_vma_setup' });
    },
  };
}
