/** A server inside this process, for commands that bring their own: the demo, live conformance, fuzzing. */
import { DEFAULT_CONFIG, type ServerConfig } from '../../server/app/config.ts';
import { startServer } from '../../server/app/start-server.ts';
import type { Lab } from '../../server/live/lab.ts';
import { newLabInit } from '../../server/live/lab-init.ts';
import type { MachineFactory } from '../../server/live/machine-port.ts';
import { asMachine } from '../../server/live/new-live-machine.ts';
import type { Scene } from '../../server/live/scene.ts';
import type { MachineConfig } from '../../server/machine/machine-config.ts';
import { LiveMachine } from '../../server/machine/remote/live-machine.ts';
import { UsageError } from './failure.ts';
import { asUsageError } from './server-config.ts';

export interface LocalServer {
  /** `http://127.0.0.1:7070` */
  readonly url: string;
  /** `ws://127.0.0.1:7070/ws` */
  readonly webSocketUrl: string;
  /** See RunningServer.token. */
  readonly token: string | 'none';
  /** See RunningServer.recordings. */
  readonly recordings: readonly string[];
  /** A lab of this server, opened if it is not, and its machine. */
  openLab(name: string, config: MachineConfig, scene?: Scene): OpenedLab;
  /** Notifies the clients, closes every session, and stops listening. */
  close(): Promise<void>;
}

export interface OpenedLab {
  readonly lab: Lab;
  /** The lab's machine: another one after each renew(). */
  machine(): LiveMachine;
}

/** Starts to listen. Rejects: UsageError if the address or the folder for recordings cannot be used. */
export async function startLocalServer(config: Partial<ServerConfig>): Promise<LocalServer> {
  // By config: the config of every machine is an object of its own, and goes when the machine does.
  const machines = new WeakMap<MachineConfig, LiveMachine>();
  const factory: MachineFactory = (machineConfig, sinks) => {
    const machine = new LiveMachine(machineConfig, sinks);
    machines.set(machineConfig, machine);
    return asMachine(machine);
  };
  const server = await startServer(
    { ...DEFAULT_CONFIG, ...config, ends: 'for-good' },
    factory,
  ).catch((error: unknown) => {
    throw asUsageError(error);
  });
  const { url, webSocketUrl, token, labs, recordings } = server;
  return {
    url,
    webSocketUrl,
    token,
    recordings,
    openLab: (name, machineConfig, scene) => {
      const lab = labs.open(name, { ...machineConfig }, 'kept', newLabInit(scene));
      if (lab === 'too-many') throw new UsageError(`there is no room for the lab ${name}`);
      return { lab, machine: () => machineOf(machines, lab) };
    },
    close: () => server.stop(),
  };
}

/** The machine of the lab's present config. */
function machineOf(machines: WeakMap<MachineConfig, LiveMachine>, lab: Lab): LiveMachine {
  const machine = machines.get(lab.config);
  if (machine === undefined) throw new Error(`the lab ${lab.name} has no machine`);
  return machine;
}
