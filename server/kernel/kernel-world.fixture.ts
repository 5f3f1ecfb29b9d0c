/**
 * The kernel with a scheduler and nothing else: what the kernel's tests share. No oracles (see server/machine), so
 * that a test says itself what must hold.
 *
 * Named like a test to stay out of the package and of the model hash.
 */
import assert from 'node:assert/strict';
import type { Accessed, CpuApi, MappingKind, Prot } from '../abi/cpu-api.ts';
import type { DeviceApi, DeviceDriver } from '../abi/device-api.ts';
import type { EventBody } from '../abi/event.ts';
import { type RunningTask, Scheduler, type StepListener } from '../scheduler/scheduler.ts';
import { newTaskContext, type TaskContext } from '../task/context.ts';
import type { Task } from '../task/task.ts';
import {
  addressOf,
  type PageIndex,
  type PageRange,
  pageIndex,
  pagesFrom,
} from '../vocabulary/address.ts';
import { OK, type Result } from '../vocabulary/errno.ts';
import { createCpuApi, newCpu } from './api/kernel-cpu-api.ts';
import { createDeviceApi } from './api/kernel-device-api.ts';
import {
  type Cpu,
  DEFAULT_CONFIG,
  type Kernel,
  type KernelConfig,
  type KernelFunctions,
  newKernel,
  newProcess,
} from './kernel.ts';
import { framesInUse } from './memory/frames.ts';
import type { Mm } from './memory/mm.ts';
import { readPte } from './memory/page-table.ts';
import { type Pte, pteKind } from './memory/pte.ts';
import { STOCK } from './stock.ts';

/** The first page that tests map; it starts a page-table page. */
export const BASE = pageIndex(0x100200);
const STEPS_MAX = 1_000_000;

export interface KernelWorld {
  readonly context: TaskContext;
  readonly kernel: Kernel;
  readonly scheduler: Scheduler;
  readonly mm: Mm;
  readonly events: EventBody[];
  /** By name; a child's thread appears with its fork. */
  readonly cpus: Map<string, Cpu>;
}

/** As much of a world as devices need, with or without oracles around it. */
export type KernelDeviceWorld = Pick<KernelWorld, 'context' | 'kernel' | 'scheduler' | 'mm'> & {
  /** How a device is connected; straight to the kernel unless said. */
  readonly connect?: (owner: string, driver: DeviceDriver) => DeviceApi;
};

export interface KernelWorldOptions {
  readonly overrides?: Partial<KernelFunctions>;
  readonly config?: Partial<KernelConfig>;
  /** Told of each step before it acts. */
  readonly onStep?: StepListener;
}

/** One process without mappings, no devices, no CPU threads. */
export function newKernelWorld(options: KernelWorldOptions = {}): KernelWorld {
  const context = newTaskContext();
  const events: EventBody[] = [];
  const fn = { ...STOCK, ...options.overrides };
  const config = { ...DEFAULT_CONFIG, ...options.config };
  const kernel = newKernel(fn, context, (body) => events.push(body), config);
  const mm = newProcess(kernel);
  const scheduler = new Scheduler(context, options.onStep);
  return { context, kernel, scheduler, mm, events, cpus: new Map() };
}

export function cpuThread(world: KernelWorld, name: string, mm: Mm = world.mm): Cpu {
  const known = world.cpus.get(name);
  if (known !== undefined) return known;
  const made = newCpu(world.kernel, name, mm);
  world.cpus.set(name, made);
  return made;
}

export function cpuApi(world: KernelWorld, name = 'cpu0'): CpuApi {
  const cpu = cpuThread(world, name);
  return createCpuApi(world.kernel, { cpu, onFork: (child, mm) => cpuThread(world, child, mm) });
}

/** A device that agrees to everything and has nothing, but for what `driver` overrides. */
export function deviceApi(
  world: KernelDeviceWorld,
  owner: string,
  driver: Partial<DeviceDriver> = {},
): DeviceApi {
  const whole: DeviceDriver = {
    *invalidate() {
      return 'done';
    },
    *migrateToRam(): Task<Result<void>> {
      return OK;
    },
    *pageFree() {},
    *release() {},
    ...driver,
  };
  if (world.connect !== undefined) return world.connect(owner, whole);
  return createDeviceApi(world.kernel, { owner, mm: world.mm, driver: () => whole });
}

/** Runs a task to its end, first come first served, with whatever else is ready. Fails if it gets stuck. */
export function run<T>(world: KernelDeviceWorld, task: Task<T>, actor = 'cpu0'): T {
  const running = world.scheduler.spawn(actor, 'test', task);
  world.scheduler.runFirstCome(STEPS_MAX);
  if (running.state === 'done') return running.result as T;
  return assert.fail(`stuck: ${waitsOf(world.scheduler.blockedTasks()).join('; ')}`);
}

/** `cpu0: mmap.mmap_lock` for each task that waits. */
export function waitsOf(tasks: readonly RunningTask[]): string[] {
  return tasks.map((task) => `${task.identity.actor}: ${task.pending.at}`);
}

/** Runs one task to its end while all others stand still. */
export function runOnly(world: KernelDeviceWorld, task: RunningTask): void {
  for (let steps = 0; task.state !== 'done'; steps += 1) {
    assert.ok(steps < STEPS_MAX && world.scheduler.readyTasks().includes(task), 'it waits');
    world.scheduler.step(task);
  }
}

/** Runs a task until it stands before `at`, while all others stand still. */
export function runUntil(world: KernelDeviceWorld, task: RunningTask, at: string): void {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    if (task.pending.at === at && task.state !== 'done') return;
    assert.ok(world.scheduler.readyTasks().includes(task), `stopped before it reached ${at}`);
    world.scheduler.step(task);
  }
  assert.fail(`it goes in circles before ${at}`);
}

export function mapped(
  world: KernelWorld,
  pages: number,
  how: { readonly prot?: Prot; readonly kind?: MappingKind; readonly first?: PageIndex } = {},
): PageRange {
  const range = pagesFrom(how.first ?? BASE, pages);
  const { prot = 'rw', kind = 'anon-private' } = how;
  assert.deepEqual(run(world, cpuApi(world).mmap({ range, prot, kind })), OK);
  return range;
}

export function at(index: number): PageIndex {
  return pageIndex(BASE + index);
}

/** Page `index` from BASE, as a range. */
export function pageAt(index: number): PageRange {
  return pagesFrom(at(index), 1);
}

/** The value, or the name of the signal. */
export function load(world: KernelWorld, page: PageIndex, cpu = 'cpu0'): bigint | string {
  return shown(run(world, cpuApi(world, cpu).load(addressOf(page)), cpu));
}

/** 'done', or the name of the signal. */
export function store(world: KernelWorld, page: PageIndex, value: bigint, cpu = 'cpu0'): string {
  const stored = run(world, cpuApi(world, cpu).store(addressOf(page), value), cpu);
  return stored.kind === 'done' ? 'done' : stored.signal;
}

function shown(accessed: Accessed<bigint>): bigint | string {
  return accessed.kind === 'done' ? accessed.value : accessed.signal;
}

export function pteAt(world: KernelWorld, page: PageIndex, mm: Mm = world.mm): Pte {
  return readPte(mm.table, page);
}

export function kindAt(world: KernelWorld, page: PageIndex, mm: Mm = world.mm): string {
  return pteKind(pteAt(world, page, mm));
}

export function inUse(world: KernelWorld): number {
  return [...framesInUse(world.kernel.frames)].length;
}

/** Nobody holds a lock, an isolated page, a bracket or a migration. */
export function assertAtRest(world: KernelWorld): void {
  const { kernel } = world;
  assert.deepEqual([...kernel.pageLocks.keys()], [], 'locked pages');
  assert.deepEqual([...kernel.isolated], [], 'isolated pages');
  assert.equal(kernel.migrations.size, 0, 'open migrations');
  assert.equal(kernel.invalidations.size, 0, 'open brackets');
  assert.deepEqual(world.context.lockOrderViolations, []);
  for (const { mmapLock, subscriptions, table } of kernel.mms.values()) {
    assert.equal(mmapLock.writer, 'none');
    assert.equal(mmapLock.readers.length, 0);
    assert.equal(subscriptions.activeInvalidateRanges, 0);
    for (const { ptl } of table.pages.values()) assert.equal(ptl.holder, 'none');
  }
}
