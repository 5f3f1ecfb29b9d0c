import { dmirrorDriver, dmirrorOpen, newDmirror } from '../drivers/dmirror.ts';
import type { ClosedWhy } from '../sdk/connection-state.ts';
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
    perform: (params) => performDeviceVerb(dmirror, loops, params),
  };
};

/** A dmirror device in a lab. One that is fenced drops everything and joins again. */
export function startDevice(options: AgentOptions): Agent {
  const { url, lab, name, connectMs, say } = options;
  const closed = Promise.withResolvers<ClosedWhy>();
  let client: DeviceClient;
  let rejoining: 'no' | 'yes' = 'no';
  const join = (): void => {
    rejoining = 'no';
    client = new DeviceClient({
      url,
      lab,
      name,
      connectMs,
      device: dmirrorDevice,
      fenced: (why) => {
        say(`${name} was fenced: ${why} It drops its page table and joins again.`);
        rejoining = 'yes';
        client.close();
      },
      trouble: (error) => say(error instanceof Error ? error.message : String(error)),
    });
    client.connection.closed.then(
      (why) => {
        if (why.why === 'ended' && rejoining === 'yes') join();
        else closed.resolve(why);
      },
      (error: unknown) => closed.reject(error),
    );
  };
  join();
  return {
    close: () => {
      rejoining = 'no';
      client.close();
    },
    closed: closed.promise,
  };
}
