import type { Task } from '../../server/task/task.ts';
import { PAGES_MAX, pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { OK, type Result } from '../../server/vocabulary/errno.ts';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../drivers/dmirror.ts';
import { type Dmirror, withDriverLock } from '../drivers/dmirror-state.ts';
import { CallRefused } from '../sdk/call-refusal.ts';
import { DeviceClient, type DeviceFactory } from '../sdk/device-client.ts';
import type { Agent, AgentArguments } from './agent-process.ts';
import { performDeviceVerb } from './device-verbs.ts';
import { newLoops } from './read-loops.ts';

export interface AgentOptions extends AgentArguments {
  /** Milliseconds during which the first connection is tried again. */
  readonly connectMs: number;
  /** One sentence for whoever watches. */
  readonly say: (text: string) => void;
}

/** dmirror as a device of the SDK. */
export const dmirrorDevice: DeviceFactory = ({ api, context, waitFor }) => {
  // The number tells devices of one world apart; this process has one.
  const dmirror = newDmirror({ api, context, deviceNumber: 0 });
  const loops = newLoops(() => waitFor(Promise.resolve()));
  return {
    driver: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    recover: () => recoverDmirror(dmirror),
    perform: (params) => performDeviceVerb(dmirror, loops, params),
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
export function startDevice(options: AgentOptions): Agent {
  const { url, lab, name, connectMs, say } = options;
  const client = new DeviceClient({
    url,
    lab,
    name,
    connectMs,
    device: dmirrorDevice,
    fenced: (why) => say(`${name} was fenced: ${why} It drops its page table and comes back.`),
    trouble: (error) => {
      // What it sent between the fence and hearing of it is refused, and void anyway.
      if (error instanceof CallRefused && error.refusal.code === 'fenced') return;
      say(error instanceof Error ? error.message : String(error));
    },
  });
  return { close: () => client.close(), closed: client.connection.closed };
}
