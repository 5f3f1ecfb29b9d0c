/**
 * The package as a library, for Node 22 and newer and for browsers:
 *
 *   import { connect, dmirror } from 'mmrace';
 *   const gpu0 = await connect({
 *     role: 'device', url: 'ws://127.0.0.1:7070/ws', lab: 'demo', name: 'gpu0', driver: dmirror,
 *   });
 *   await gpu0.perform({ verb: 'read', range: { first: 0x100200, end: 0x100204 } });
 *   gpu0.close();
 *
 * A driver of your own is written as generators over DeviceApi: docs/WRITE-A-DEVICE.md. What it needs beside this is
 * imported from where it is defined: `mmrace/abi/device-api`, `mmrace/task/lock`, `mmrace/vocabulary/address`.
 */
import type { Event } from '../../server/abi/event.ts';
import type { LabControl } from '../../server/protocol/lab-control.ts';
import type { LabSnapshot } from '../../server/protocol/lab-snapshot.ts';
import type { TaskContext } from '../../server/task/context.ts';
import { lock, newLock, unlock } from '../../server/task/lock.ts';
import { objectId } from '../../server/task/object-id.ts';
import type { Task } from '../../server/task/task.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { performCpuVerb } from '../agents/cpu-verbs.ts';
import { dmirrorDevice } from '../agents/device-agent.ts';
import { connect as join } from '../sdk/connect.ts';
import type { OnLoss } from '../sdk/connection-state.ts';
import type { CpuClient, CpuFactory, CpuKernel } from '../sdk/cpu-client.ts';
import type { Device, DeviceClient, DeviceFactory, DeviceKernel } from '../sdk/device-client.ts';
import type { SocketFactory } from '../sdk/web-socket.ts';
import { Watcher } from './watcher.ts';

/** What everybody says who joins a lab. */
export interface JoinOptions {
  /** Of the server's WebSocket: `ws://127.0.0.1:7070/ws` */
  readonly url: string;
  /** The lab's name, or its join code. */
  readonly lab: string;
  /** Unique among the actors of the lab: 1 to 64 letters, digits, `_ . -`. */
  readonly name: string;
  /**
   * What to do when the connection is lost: come back to the same session ('resume', the default); come back in any
   * case, in a session of its own and with nothing if the server does not know the old one any more ('rejoin'); or end
   * ('give-up'). A server that is not there is tried again until it is, unless `comeBackMs` says otherwise.
   */
  readonly onLoss?: OnLoss;
  /** Milliseconds of trying to come back. Without end if absent. */
  readonly comeBackMs?: number;
  /** Milliseconds during which a server that is not there yet is tried again. 0 if absent. */
  readonly connectMs?: number;
  /** Makes the WebSocket. The runtime's own if absent. */
  readonly socket?: SocketFactory;
  /** A driver threw, or the server complained of a frame: a bug on one of the two sides. */
  readonly trouble?: (error: unknown) => void;
}

export interface DeviceOptions extends JoinOptions {
  readonly role: 'device';
  /**
   * Makes the device: what the kernel calls, and what it does when it is asked to. Called again when the lab begins
   * anew with another machine. `dmirror` is one that is ready.
   */
  readonly driver: DeviceFactory;
  /** The device did not answer in time and was cut off. It comes back by itself: see Device.recover. */
  readonly fenced?: (why: string) => void;
}

export interface CpuOptions extends JoinOptions {
  readonly role: 'cpu';
  /** What it does when a conductor asks for a verb. `cpuVerbs` if absent. */
  readonly program?: CpuFactory;
}

export interface ObserverOptions extends JoinOptions {
  readonly role: 'observer';
  /**
   * The state to start from: at the beginning, and again if this observer fell behind, the lab began anew, or the
   * connection was lost.
   */
  readonly snapshot: (snapshot: LabSnapshot) => void;
  /** What happened since, in order and without gaps. */
  readonly events: (events: readonly Event[]) => void;
  /** How the lab is driven: paused, locked, its tasks. At the beginning, and when it changes. */
  readonly control?: (control: LabControl) => void;
}

/**
 * Joins a lab as a device, a CPU thread or an observer, and waits until the server has accepted.
 *
 * Rejects with SessionClosed (`mmrace/sdk/connection`) if there is no connection within `connectMs` or the server
 * refuses: its `message` says why and what to do, its `closed` says it as data. A connection that is lost later comes
 * back by itself: a device and a CPU with no frame lost or doubled, an observer with a snapshot. When it is over for
 * good, `client.connection.closed` resolves, of an observer `closed`.
 */
export function connect(options: DeviceOptions): Promise<DeviceClient>;
export function connect(options: CpuOptions): Promise<CpuClient>;
export function connect(options: ObserverOptions): Promise<Watcher>;
export function connect(
  options: DeviceOptions | CpuOptions | ObserverOptions,
): Promise<DeviceClient | CpuClient | Watcher> {
  switch (options.role) {
    case 'device':
      return join({ ...options, device: options.driver });
    case 'cpu':
      return join({ ...options, cpu: options.program ?? cpuVerbs });
    case 'observer':
      return watch(options);
    default:
      return assertNever(options);
  }
}

async function watch(options: ObserverOptions): Promise<Watcher> {
  const watcher = new Watcher(options);
  await watcher.greeted;
  return watcher;
}

/**
 * The reference device, after the kernel's own lib/test_hmm.c: mirrors a whole address space, has private memory,
 * migrates there and back. Its verbs: read, write, migrate-to-dev, migrate-to-sys, snapshot, exclusive,
 * check-exclusive, release, peek (docs/PROTOCOL.md, "The conductor and its verbs").
 */
export function dmirror(kernel: DeviceKernel): Device {
  return dmirrorDevice(kernel);
}

/** A driver's lock: a mutex between the tasks of one device. */
export interface DriverLock {
  /** Whether a task holds it: a callback that must not wait asks this. */
  readonly busy: () => boolean;
  /** Waits for it, runs `body`, lets go of it. Yields: yes. */
  readonly hold: <T>(body: () => Task<T>) => Task<T>;
}

/**
 * A lock for a driver that runs in a client. (One that also runs in the lab makes its own, with newLock() of
 * `mmrace/task/lock` and its device's number, so that the explorer distinguishes the locks of several devices.)
 */
export function driverLock(context: TaskContext): DriverLock {
  const own = newLock('driver_lock', objectId('driver_lock', 0, 0));
  return {
    busy: () => own.holder !== 'none',
    *hold(body) {
      const held = yield* lock(context, 'driver_lock.hold', own);
      try {
        return yield* body();
      } finally {
        unlock(context, held);
      }
    },
  };
}

/**
 * The verbs of a CPU thread: the methods that docs/PROTOCOL.md lists for it, load-pages and store-pages. A forked child
 * is for the caller to connect, under the name that the fork gave it.
 */
export function cpuVerbs({ api, context }: CpuKernel): ReturnType<CpuFactory> {
  const performer = { api, context, actor: 'cpu' };
  return (params) => performCpuVerb(performer, params);
}
