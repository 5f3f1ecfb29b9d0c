/**
 * A server with one lab whose machine only hands frames on: the wire between schedules and a device that joins as any
 * client does. Gateway, session and lab are the real ones.
 */
import { DEFAULT_CONFIG, type ServerConfig } from '../../../server/app/config.ts';
import { DEMO_LAB, type RunningServer, startServer } from '../../../server/app/start-server.ts';
import type { Wire } from '../../../server/certify/wire.ts';
import type { Lab } from '../../../server/live/lab.ts';
import type { Machine } from '../../../server/live/machine-port.ts';
import type {
  FromClient,
  Inbound,
  MachineSinks,
  Outbound,
} from '../../../server/machine/remote/inbound.ts';
import { refusalText } from '../../../server/protocol/refusal.ts';
import { asUsageError } from '../server-config.ts';

/** No device is fenced: one that says nothing is named. */
const LEASE_MS = 24 * 60 * 60 * 1000;
/** A connection that is lost is a device that left. */
const GRACE_MS = 50;
const DRAIN_MS = 200;

type Arrived = (inbound: FromClient) => void;

export class LabWire implements Wire {
  readonly device: string;
  state: Wire['state'] = 'connected';
  readonly #server: RunningServer;
  readonly #lab: Lab;
  #sinks: MachineSinks;
  #arrived: Arrived | 'none' = 'none';
  #refused: string | 'nothing' = 'nothing';
  /** Frames that came since a task last waited for one. */
  #came = 0;
  #waiting: (() => void) | 'none' = 'none';

  constructor(device: string, server: RunningServer, lab: Lab, machines: Machines) {
    this.device = device;
    this.#server = server;
    this.#lab = lab;
    this.#sinks = machines.sinks;
    machines.heard = (inbound) => this.#heard(inbound);
    machines.renewed = (sinks) => {
      this.#sinks = sinks;
    };
    server.gateway.refusalListeners.push((inLab, name, refusal) => {
      if (inLab !== lab.name || name !== device) return;
      this.#refused = `${refusal.code}: ${refusalText(refusal)}`;
      this.#wake();
    });
  }

  get webSocketUrl(): string {
    return this.#server.webSocketUrl;
  }

  get lab(): string {
    return this.#lab.name;
  }

  /** Resolves when the device has joined, or after `ms`. */
  async joined(ms: number): Promise<'joined' | 'not joined'> {
    const end = performance.now() + ms;
    while (!this.#isHere()) {
      const left = end - performance.now();
      if (left <= 0 || this.state === 'gone') return 'not joined';
      await this.nextFrame(left);
    }
    return 'joined';
  }

  async reset(ms: number, arrived: Arrived): Promise<'ready' | 'silent' | 'busy' | 'refused'> {
    this.#arrived = 'none';
    this.#came = 0;
    this.#refused = 'nothing';
    const renewed = this.#lab.renew({ ...this.#lab.config });
    this.#arrived = arrived;
    const refused = await within(ms, renewed);
    if (refused === 'busy') return refused;
    if (refused === 'nothing' || !this.#isHere()) return 'silent';
    return refused.includes(this.device) ? 'refused' : 'ready';
  }

  deliver(outbound: Outbound): void {
    this.#sinks.outbound(outbound);
  }

  async nextFrame(ms: number): Promise<'came' | 'nothing' | 'busy'> {
    let waited: 'came' | 'nothing' | 'busy' = 'nothing';
    if (this.#came === 0 && this.#refused === 'nothing' && this.state === 'connected') {
      const woken = new Promise<'came'>((resolve) => {
        this.#waiting = () => resolve('came');
      });
      waited = await within(ms, woken);
      this.#waiting = 'none';
    }
    const came = this.#came > 0 || this.#refused !== 'nothing';
    this.#came = 0;
    if (came) return 'came';
    return waited === 'busy' ? 'busy' : 'nothing';
  }

  refused(): string | 'nothing' {
    return this.#refused;
  }

  /** The task that waits for a frame goes on. */
  close(): Promise<void> {
    this.state = 'gone';
    this.#wake();
    return this.#server.stop();
  }

  #isHere(): boolean {
    return this.#lab.actors.has(this.device);
  }

  #heard(inbound: Inbound): void {
    if (!('actor' in inbound) || inbound.actor !== this.device) return;
    if (inbound.kind === 'detach') this.state = 'gone';
    else if (inbound.kind !== 'attach' && this.#arrived !== 'none') this.#arrived(inbound);
    this.#came += 1;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting !== 'none') waiting();
  }
}

/** The machines of the lab, one after the other. */
interface Machines {
  sinks: MachineSinks;
  heard: (inbound: Inbound) => void;
  renewed: (sinks: MachineSinks) => void;
}

/** Listens for the device `name`. Rejects: UsageError if the address cannot be used. */
export async function openLabWire(
  name: string,
  config: Pick<ServerConfig, 'host' | 'port'>,
): Promise<LabWire> {
  const ignored = (): void => undefined;
  const machines: Machines = {
    sinks: { outbound: ignored, event: ignored },
    heard: ignored,
    renewed: ignored,
  };
  const server = await startServer(
    {
      ...DEFAULT_CONFIG,
      ...config,
      leaseMs: LEASE_MS,
      graceMs: GRACE_MS,
      drainMs: DRAIN_MS,
      unknownLabs: 'refused',
      logLevel: 'silent',
    },
    (_config, sinks) => {
      machines.sinks = sinks;
      machines.renewed(sinks);
      return handingOn((inbound) => machines.heard(inbound));
    },
  ).catch((error: unknown) => {
    throw asUsageError(error);
  });
  const lab = server.labs.get(DEMO_LAB);
  if (lab === 'none') throw new Error(`the server has no lab ${DEMO_LAB}`);
  return new LabWire(name, server, lab, machines);
}

/** A machine that does nothing itself: schedules say when what happens. */
function handingOn(heard: (inbound: Inbound) => void): Machine {
  return {
    accept: heard,
    goOn: () => undefined,
    busy: false,
    view: () => ({ ptes: [], mirrors: [], vmas: [] }),
    digest: () => '',
    stallers: () => [],
    tasks: () => [],
    knows: () => false,
    eventsAfter: () => [],
  };
}

/** Milliseconds between two looks at how punctual this process is. */
const LOOK_MS = 10;
/** A look that is so late says that others had the machine. */
const LATE_MS = 20;

/** What `done` comes to; else, after `ms`, 'nothing', or 'busy' if this process was held up meanwhile. */
function within<T>(ms: number, done: Promise<T>): Promise<T | 'nothing' | 'busy'> {
  return new Promise((resolve, reject) => {
    const end = performance.now() + ms;
    let heldUp = false;
    let timer: NodeJS.Timeout;
    const look = (due: number): void => {
      const now = performance.now();
      heldUp ||= now - due > LATE_MS;
      if (now >= end) resolve(heldUp ? 'busy' : 'nothing');
      else wait(now);
    };
    const wait = (now: number): void => {
      const next = Math.min(end, now + LOOK_MS);
      timer = setTimeout(look, next - now, next);
    };
    wait(performance.now());
    done.then((value) => {
      clearTimeout(timer);
      resolve(value);
    }, reject);
  });
}
