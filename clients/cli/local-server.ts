/** A server inside this process, for commands that bring their own: the demo, live conformance, benchmarks. */
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Gateway } from '../../server/gateway/gateway.ts';
import { buildApp, type Readiness, WEBSOCKET_PATH } from '../../server/http/app.ts';
import type { Lab } from '../../server/live/lab.ts';
import { Labs } from '../../server/live/labs.ts';
import type { MachineFactory } from '../../server/live/machine-port.ts';
import { LiveMachine } from '../../server/machine/live-machine.ts';
import type { MachineConfig } from '../../server/machine/machine-config.ts';
import { stateDigest } from '../../server/machine/state-digest.ts';
import { GRACE_MS, HEARTBEAT_MS, LEASE_MS } from '../../server/protocol/limits.ts';
import { modelOf } from '../../server/start-server.ts';
import { UsageError } from './failure.ts';
import { listenFailure } from './listen-failure.ts';

export interface LocalServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Where HTTP requests and bugs are told. 'silent' for nobody. */
  readonly logLevel: 'silent' | 'warn' | 'info';
}

export interface LocalServer {
  /** `http://127.0.0.1:7070` */
  readonly url: string;
  /** `ws://127.0.0.1:7070/ws` */
  readonly webSocketUrl: string;
  /** Opens a lab of this server, and keeps hold of its machine. */
  openLab(name: string, config: MachineConfig): OpenedLab;
  /** Tells the clients, closes every session, and stops listening. */
  close(): Promise<void>;
}

export interface OpenedLab {
  readonly lab: Lab;
  /** The lab's machine: another one after each renew(). */
  machine(): LiveMachine;
}

/** Starts to listen. Throws: UsageError if the address cannot be used. */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const log = pino({ level: options.logLevel }, pino.destination(2));
  // By config: the config of every machine is an object of its own, and goes when the machine does.
  const machines = new WeakMap<MachineConfig, LiveMachine>();
  const factory: MachineFactory = (config, sinks) => {
    const machine = new LiveMachine(config, sinks);
    machines.set(config, machine);
    return {
      accept: (inbound) => machine.accept(inbound),
      view: () => machine.view(),
      digest: () => stateDigest(machine.world),
      stallers: () => machine.stallers(),
    };
  };
  const clock = () => performance.now();
  const labs = new Labs({
    factory,
    clock,
    leaseMs: LEASE_MS,
    record: 'none',
    onBug: (lab, bug) => log.error({ lab, err: bug }, 'a lab broke down'),
  });
  const model = modelOf(fileURLToPath(new URL('../../server', import.meta.url)));
  const gateway = new Gateway({
    labs,
    clock,
    unknownLabs: 'on-demand',
    graceMs: GRACE_MS,
    heartbeatMs: HEARTBEAT_MS,
    model,
    onClosed: () => undefined,
  });
  const readiness: Readiness = { state: 'ready' };
  const app = buildApp({ gateway, labs, readiness, model, log });
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    throw listenFailure(options, error);
  }
  const { port } = app.server.address() as AddressInfo;
  const authority = `${options.host}:${port}`;
  return {
    url: `http://${authority}`,
    webSocketUrl: `ws://${authority}${WEBSOCKET_PATH}`,
    openLab: (name, config) => {
      const lab = labs.open(name, { ...config }, 'kept');
      if (lab === 'too-many') throw new UsageError(`there is no room for the lab ${name}`);
      return { lab, machine: () => machineOf(machines, lab) };
    },
    close: async () => {
      readiness.state = 'going';
      gateway.announceGoing('The command has ended.');
      gateway.close();
      labs.close();
      await app.close();
      gateway.terminate();
    },
  };
}

/** The machine of the lab's present config. */
function machineOf(machines: WeakMap<MachineConfig, LiveMachine>, lab: Lab): LiveMachine {
  const machine = machines.get(lab.config);
  if (machine === undefined) throw new Error(`the lab ${lab.name} has no machine`);
  return machine;
}
