/**
 * A conformance world in this process: the kernel, two dmirror devices and the CPU threads as tasks
 * of one scheduler. The oracles watch throughout; what they report, a wrong lock order and
 * unbalanced books end the program as a breakdown of the world.
 */
import {
  DMIRROR_FUNCTIONS,
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from '../../../clients/drivers/dmirror/dmirror.ts';
import type { Dmirror, DmirrorFunctions } from '../../../clients/drivers/dmirror/dmirror-state.ts';
import { performVerb } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import { FIRST_KERNEL } from '../../abi/kernel-ids.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import { createFile } from '../../kernel/syscalls/create-file.ts';
import { leftBehind } from '../../machine/oracles/left-behind.ts';
import {
  cpuOf,
  deviceOf,
  newWorld,
  pinsOf,
  runTask,
  type World,
  type WorldOptions,
} from '../../machine/world.ts';
import { describeObject } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import type { TraceProgram } from './parse-program.ts';
import type { ConformanceWorld } from './run-program.ts';
import { actorOf, CHILD, isTraceDeviceOp, performCpuOp, verbOf } from './trace-calls.ts';
import { type OpResult, TRACE_FILES, type TraceOp } from './trace-format.ts';
import { machineOf } from './trace-machine.ts';
import { type Viewed, viewState, viewVmas } from './trace-view.ts';

/** Pages of each file of a trace. */
export const TRACE_FILE_PAGES = 8;
/** Page p of file f begins with this | f << 32 | p. */
const FILE_WORD = 0xf11e_0000_0000_0000n;

const DEVICES = ['dev0', 'dev1'] as const;

export interface MachineWorldOptions extends WorldOptions {
  /** A variant of dmirror for both devices. */
  readonly driver?: DmirrorFunctions;
}

/**
 * A fresh world for `program`. Throws an Error if a device cannot be opened: the world is too
 * small.
 */
export function newMachineWorld(
  program: TraceProgram,
  options: MachineWorldOptions = {},
): ConformanceWorld {
  const world = newWorld({
    version: FIRST_KERNEL,
    ...options,
    config: { ...machineOf(program), ...options.config },
  });
  for (let file = 0; file < TRACE_FILES; file += 1) createFile(world.kernel, file, filePages(file));
  const fn = options.driver ?? DMIRROR_FUNCTIONS;
  const devices = DEVICES.map((owner, deviceNumber) => openDevice(world, owner, deviceNumber, fn));
  return {
    perform: (op) => perform(world, devices, op),
    state: () => viewState(viewed(world)),
    vmas: () => viewVmas(viewed(world)),
    end: () => undefined,
  };
}

/** What a file of a trace holds before the program starts. */
export function filePages(file: number) {
  return Array.from({ length: TRACE_FILE_PAGES }, (_, page) =>
    pageOfU64(FILE_WORD | (BigInt(file) << 32n) | BigInt(page)),
  );
}

function openDevice(
  world: World,
  owner: string,
  deviceNumber: number,
  fn: DmirrorFunctions,
): Dmirror {
  const api = deviceOf(world, owner, () => driver);
  const dmirror = newDmirror({ api, context: world.context, deviceNumber }, fn);
  const driver = dmirrorDriver(dmirror);
  const opened = run(world, owner, 'open', dmirrorOpen(dmirror));
  if (!opened.ok) throw new Error(`${owner} cannot be opened: ${opened.errno}`);
  return dmirror;
}

function perform(world: World, devices: readonly Dmirror[], op: TraceOp): OpResult {
  const result = isTraceDeviceOp(op)
    ? run(world, ownerOf(op.dev), op.op, performVerb(deviceAt(devices, op.dev), verbOf(op)))
    : run(world, actorOf(op), op.op, performCpuOp(cpuAt(world, actorOf(op)), op));
  assertHealthy(world);
  return result;
}

function run<T>(world: World, actor: string, name: string, task: Task<T>): T {
  const ran = runTask(world, actor, name, task);
  if (ran.kind === 'done') return ran.value;
  throw new Error(`nothing can go on: ${ran.waiting.join('; ')}`);
}

/** Nothing that the oracles watch may be wrong once an operation has ended. */
function assertHealthy(world: World): void {
  const [violation] = world.oracles.violations;
  if (violation !== undefined) throw new Error(`[${violation.rule}] ${violation.text}`);
  const [order] = world.context.lockOrderViolations;
  if (order !== undefined) {
    const outer = `${order.outer.class} ${describeObject(order.outer.object)}`;
    throw new Error(`[LK3] ${order.at} wants ${order.wanted.class} under ${outer}`);
  }
  const [left] = leftBehind(world.kernel, pinsOf(world));
  if (left !== undefined) throw new Error(`[OR4] ${left}`);
}

function viewed(world: World): Viewed {
  return { kernel: world.kernel, cpu0: world.mm, cpu1: childOf(world), devices: DEVICES };
}

function childOf(world: World): Mm | 'none' {
  const child = world.cpus.get(CHILD);
  return child?.mm.alive === true ? child.mm : 'none';
}

function cpuAt(world: World, actor: string) {
  if (actor === CHILD && childOf(world) === 'none') throw new Error(`${CHILD} does not live`);
  return cpuOf(world, actor);
}

function ownerOf(dev: number): string {
  return DEVICES[dev] ?? 'nobody';
}

function deviceAt(devices: readonly Dmirror[], dev: number): Dmirror {
  const device = devices[dev];
  if (device === undefined) throw new Error(`there is no device ${dev}`);
  return device;
}
