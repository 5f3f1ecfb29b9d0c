/**
 * One deterministic world: a kernel with its first process, a scheduler, an event log and the oracles that watch.
 * The lab puts devices beside it and asks questions; live-machine.ts puts sockets' worth of clients around it.
 */

import type { CpuApi, PinMode } from '../abi/cpu-api.ts';
import type { DeviceApi, DeviceDriver, DeviceOwner } from '../abi/device-api.ts';
import type { EventSink } from '../abi/event.ts';
import { DEFAULT_KERNEL, type KernelId } from '../abi/kernel-ids.ts';
import { reconnectDevice } from '../kernel/api/device-teardown.ts';
import { createCpuApi, newCpu, newKernelThread } from '../kernel/api/kernel-cpu-api.ts';
import {
  createDeviceApi,
  type KernelDevice,
  newKernelDevice,
} from '../kernel/api/kernel-device-api.ts';
import {
  type Cpu,
  DEFAULT_CONFIG,
  type Kernel,
  type KernelConfig,
  newKernel,
  newProcess,
} from '../kernel/kernel.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import { kernelFunctions } from '../kernel/versions/kernels.ts';
import { type Patch, patched } from '../patches/patch.ts';
import { type RunningTask, Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext, type TaskContext } from '../task/context.ts';
import type { Task } from '../task/task.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { type EventLog, newEventLog, sinkOf } from './event-log.ts';
import { lockLog } from './lock-log.ts';
import type { Contract, DriverPlace } from './oracles/contract/contract.ts';
import { unwatchDevice, watchContract, watchDevice } from './oracles/contract/watched-device.ts';
import { addMirror, removeMirror } from './oracles/mirrors.ts';
import { type Oracles, watchWorld } from './oracles/oracles.ts';

/** A world that takes more steps than this for one call is going in circles. */
export const STEPS_MAX = 10_000_000;

export interface WorldOptions {
  /** The kernel that the patches are applied to; DEFAULT_KERNEL unless said. */
  readonly version?: KernelId;
  readonly patches?: readonly Patch[];
  readonly config?: Partial<KernelConfig>;
  /** Whether locks that are taken and released are events, too; false unless said. */
  readonly logLocks?: boolean;
  /** Oracle 6; 'off' unless said. */
  readonly contract?: 'watched' | 'off';
}

export interface World {
  readonly context: TaskContext;
  readonly kernel: Kernel;
  /** The kernel that the patches are applied to. */
  readonly version: KernelId;
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly emit: EventSink;
  readonly oracles: Oracles;
  readonly contract: Contract | 'off';
  /** The process that devices mirror. */
  readonly mm: Mm;
  /** CPU threads by name. A forked child's thread appears with its fork. */
  readonly cpus: Map<string, Cpu>;
  /** By owner. */
  readonly devices: Map<DeviceOwner, KernelDevice>;
}

/** A world at rest: one process without mappings, no devices, no CPU threads. */
export function newWorld(options: WorldOptions = {}): World {
  const context = newTaskContext();
  const log = newEventLog();
  const emit = sinkOf(log, context);
  // Not in one statement: V8 puts a function that is assigned to a member where only full collections come.
  const onNote = (text: string) => emit({ kind: 'note', text });
  context.onNote = onNote;
  const version = options.version ?? DEFAULT_KERNEL;
  const fn = patched(kernelFunctions(version), options.patches ?? []);
  if (options.logLocks) context.lockListener = lockLog(emit);
  const kernel = newKernel(fn, context, emit, { ...DEFAULT_CONFIG, ...options.config });
  const oracles = watchWorld(kernel, log, emit);
  return {
    context,
    kernel,
    version,
    scheduler: new Scheduler(context),
    log,
    emit,
    oracles,
    contract:
      options.contract === 'watched' ? watchContract(kernel, log, emit, oracles.mirrors) : 'off',
    mm: newProcess(kernel),
    cpus: new Map(),
    devices: new Map(),
  };
}

/** The CPU thread `name`: an existing one, or a new thread of the first process. */
export function threadOf(world: World, name: string): Cpu {
  let cpu = world.cpus.get(name);
  if (cpu === undefined) {
    cpu = newCpu(world.kernel, name, world.mm);
    world.cpus.set(name, cpu);
  }
  return cpu;
}

/** As threadOf(), a thread of the kernel that works on the first process. */
export function kernelThreadOf(world: World, name: string): Cpu {
  const known = world.cpus.get(name);
  if (known !== undefined) return known;
  const made = newKernelThread(world.kernel, name, world.mm);
  world.cpus.set(name, made);
  return made;
}

/** The calls of the CPU thread `name`, as threadOf() finds it. */
export function cpuOf(world: World, name: string): CpuApi {
  return callsOf(world, threadOf(world, name));
}

export function callsOf(world: World, cpu: Cpu): CpuApi {
  return createCpuApi(world.kernel, {
    cpu,
    onFork: (child, mm) => world.cpus.set(child, newCpu(world.kernel, child, mm)),
  });
}

/**
 * The calls of a device that mirrors the first process. `driver` is looked up at each callback. `place` says whether
 * its tasks run in this world.
 */
export function deviceOf(
  world: World,
  owner: DeviceOwner,
  driver: () => DeviceDriver,
  place: DriverPlace = 'here',
): DeviceApi {
  const { kernel, mm, contract } = world;
  addMirror(world.oracles.mirrors, owner);
  const connect = (called: () => DeviceDriver): DeviceApi => {
    const onPageFree = (pfn: Pfn) => world.oracles.pageFreed(owner, pfn);
    const parts = { owner, mm, driver: called, onPageFree };
    const device = newKernelDevice(parts);
    world.devices.set(owner, device);
    return createDeviceApi(kernel, parts, device);
  };
  if (contract === 'off') return connect(driver);
  return watchDevice(contract, { owner, mm: mm.id, place, driver }, connect);
}

/** Takes deviceOf() back: the device is gone, and nothing of it is left. */
export function disconnectDevice(world: World, owner: DeviceOwner): void {
  world.devices.delete(owner);
  removeMirror(world.oracles.mirrors, owner);
  if (world.contract !== 'off') unwatchDevice(world.contract, owner);
  world.kernel.pgmapOwners.delete(owner);
  reconnectDevice(world.kernel, owner);
}

/** What a task came to when nothing could go on any more. */
export type Ran<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'stuck'; readonly waiting: readonly string[] };

/** Runs one task to its end, first come first served, with whatever else is ready. */
export function runTask<T>(
  world: World,
  actor: string,
  name: string,
  task: Task<T>,
  stepsMax = STEPS_MAX,
): Ran<T> {
  const running = world.scheduler.spawn(actor, name, task);
  world.scheduler.runFirstCome(stepsMax);
  if (running.state === 'done') return { kind: 'done', value: running.result as T };
  return { kind: 'stuck', waiting: world.scheduler.blockedTasks().map(waitingFor) };
}

/** `gpu0: invalidate gpu0 waits at dmirror_invalidate.lock`. */
export function waitingFor(task: RunningTask): string {
  return `${task.identity.actor}: ${task.identity.name} waits at ${task.pending.at}`;
}

/** What threads hold pinned, for leftBehind(). */
export function pinsOf(world: World): { frames: readonly Pfn[]; mode: PinMode }[] {
  return [...world.cpus.values()].flatMap((cpu) => [...cpu.pins.values()]);
}
