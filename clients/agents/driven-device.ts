/**
 * A device in a lab whose driver is any of those that ship, or a user's own: the very text that the explorer runs
 * beside the kernel.
 */
import type { PgmapOwner } from '../../server/abi/device-api.ts';
import type { Task } from '../../server/task/task.ts';
import { DMIRROR_CHUNK_PAGES, DMIRROR_RETRIES_MAX } from '../drivers/dmirror/dmirror-state.ts';
import type { DriverVariant } from '../drivers/interface/driver-variant.ts';
import { CallRefused } from '../sdk/call-refusal.ts';
import { VerbRefused } from '../sdk/conductor.ts';
import { DeviceClient, type DeviceFactory } from '../sdk/device-client.ts';
import { checkDriverVerb } from './device-verbs.ts';
import { type AgentOptions, type PlayedAgent, watching } from './played-agent.ts';

/** A device of the SDK that `driver` drives. After a fence it begins anew: what it had is lost. */
export function drivenBy(driver: DriverVariant, pgmapOwner?: PgmapOwner): DeviceFactory {
  return ({ api, context }) => {
    const device = driver.newDevice({
      api,
      context,
      deviceNumber: 0,
      memoryPages: DMIRROR_CHUNK_PAGES,
      pgmapOwner,
      retriesMax: DMIRROR_RETRIES_MAX,
      setPageDirtyLock,
    });
    return {
      driver: device.callbacks,
      open: () => device.open(),
      *perform(params) {
        return { ...(yield* device.perform(checkDriverVerb(params))) };
      },
    };
  };
}

/** Throws: VerbRefused. */
function setPageDirtyLock(): Task<void> {
  throw new VerbRefused('this driver marks pages dirty, and the wire has no call for it');
}

/** A device in a lab that `driver` drives. It has no verbs of the hand, and cannot be parked. */
export function startDrivenDevice(driver: DriverVariant, options: AgentOptions): PlayedAgent {
  const { url, lab, name, create, takeOver, connectMs, say, watch, onLoss = 'rejoin' } = options;
  const { comeBackMs } = options;
  const device = drivenBy(driver, options.pgmapOwner);
  const client: DeviceClient = new DeviceClient({
    url,
    lab,
    name,
    connectMs,
    onLoss,
    ...(create === undefined ? {} : { create }),
    ...(takeOver === undefined ? {} : { takeOver }),
    ...(comeBackMs === undefined ? {} : { comeBackMs }),
    device: (kernel) => {
      watch?.began(kernel.api.owner);
      return device(kernel);
    },
    ...watching(watch, () => client.connection.name),
    fenced: (why) =>
      say(`${client.connection.name} was fenced: ${why} It begins anew, without its memory.`),
    trouble: (error) => {
      // What it sent between the fence and hearing of it is refused, and void anyway.
      if (error instanceof CallRefused && error.refusal.code === 'fenced') return;
      say(error instanceof Error ? error.message : String(error));
    },
  });
  return {
    close: () => client.close(),
    closed: client.connection.closed,
    greeted: client.connection.greeted,
    left: client.connection.left,
    actors: () => [client.connection.name],
    perform: (_, params) => client.perform(params),
    ping: () => client.connection.ping(),
    park: () => 'busy',
    hold: (_, after) => client.hold(after),
    go: () => client.go(),
  };
}
