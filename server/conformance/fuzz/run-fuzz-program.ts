/**
 * Runs a program with several actors at once under one schedule, and looks at everything that must hold: after each
 * step while nothing moves, and once more when all processes have exited.
 */

import type { Event } from '../../abi/event.ts';
import type { KernelId } from '../../abi/kernel-ids.ts';
import { leftBehind } from '../../machine/oracles/left-behind.ts';
import { cpuOf, pinsOf, type World, waitingFor } from '../../machine/world.ts';
import type { Patch } from '../../patches/patch.ts';
import type { Policy, RunningTask, StepListener } from '../../scheduler/scheduler.ts';
import { describeObject } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, nextPage } from '../../vocabulary/address.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { CHILD, isTraceDeviceOp, performCpuOp, verbOf } from '../traces/trace-calls.ts';
import { type FuzzWorld, type NewLabDriver, newDeviceWorld } from './device-world.ts';
import { type FuzzOp, type FuzzProgram, type FuzzStep, fuzzActorOf } from './fuzz-program.ts';
import { leaksAfterExit } from './leaks.ts';

/** A step of a program that takes more of the scheduler's steps than this is going in circles. */
export const STEP_LENGTH_MAX = 200_000;
/** Children that live at once: `cpu1`, and others that only hold what they have inherited. */
export const CHILDREN_MAX = 3;
/** Pages of swap in programs of set `swap`; the others have none. */
const SWAP_SLOTS = 1024;
/** Private frames of one chunk: so few that devices need a second one, for which there is room once. */
const CHUNK_PAGES = 16;
const HUGE_CHUNK_PAGES = 1024;

/** Something that must not be. */
export interface Finding {
  /** The rule that was broken. */
  readonly rule: string;
  readonly text: string;
  /** The step of the program after which it was seen; the number of steps if at the end. */
  readonly step: number;
}

export interface FuzzRun {
  readonly finding: Finding | 'none';
  /** Steps that the scheduler took. */
  readonly steps: number;
  /** Operations performed. */
  readonly ops: number;
  readonly events: readonly Event[];
}

export interface FuzzRunOptions {
  /** Decides throughout, also about how the processes exit. */
  readonly policy: Policy;
  readonly newDriver: NewLabDriver;
  readonly kernel?: KernelId;
  readonly patches?: readonly Patch[];
  /** Told of each step. */
  readonly onStep?: StepListener;
}

export function runFuzzProgram(program: FuzzProgram, options: FuzzRunOptions): FuzzRun {
  const { policy, newDriver, kernel, patches = [] } = options;
  const huge = program.set === 'huge';
  const swapSlots = huge || program.set === 'swap' ? SWAP_SLOTS : 0;
  const lab = newDeviceWorld({
    newDriver,
    ...(kernel === undefined ? {} : { version: kernel }),
    patches,
    chunkPages: huge ? HUGE_CHUNK_PAGES : CHUNK_PAGES,
    config: {
      swapSlots,
      devicePages: huge ? 3 * HUGE_CHUNK_PAGES : 3 * CHUNK_PAGES,
      thp: huge ? 'always' : 'never',
    },
  });
  if (options.onStep !== undefined) lab.world.scheduler.listen(options.onStep);
  let ops = 0;
  const finding = firstFinding(lab, policy, program.steps, (performed) => {
    ops += performed;
  });
  return { finding, steps: lab.world.scheduler.steps, ops, events: lab.world.log.kept };
}

function firstFinding(
  lab: FuzzWorld,
  policy: Policy,
  steps: readonly FuzzStep[],
  onOps: (ops: number) => void,
): Finding | 'none' {
  const { world } = lab;
  for (const [at, step] of steps.entries()) {
    const tasks = tasksOf(lab, step);
    onOps(tasks.length);
    const found = runTogether(world, policy, tasks, at);
    if (found !== 'none') return found;
  }
  const end = steps.length;
  const looked = runTogether(world, policy, processesOf(world).map(looking(world)), end);
  if (looked !== 'none') return looked;
  const exited = runTogether(world, policy, processesOf(world).map(exiting(world)), end);
  if (exited !== 'none') return exited;
  const [leak] = leaksAfterExit(world.kernel);
  if (leak === undefined) return 'none';
  return { rule: 'OR4', text: `after all have exited, ${leak}`, step: end };
}

interface NamedTask {
  readonly actor: string;
  readonly name: string;
  readonly task: Task<unknown>;
}

/** What cannot be done is left out: operations of a child that does not live, more children than there may be. */
function tasksOf(lab: FuzzWorld, step: FuzzStep): NamedTask[] {
  const { world } = lab;
  const childLives = isAlive(world, CHILD);
  let children = processesOf(world).length - 1;
  const tasks: NamedTask[] = [];
  for (const each of step) {
    const actor = fuzzActorOf(each);
    if (actor === CHILD && !childLives) continue;
    if (each.op.op !== 'fork') {
      tasks.push(taskOf(lab, each, actor));
      continue;
    }
    if (children === CHILDREN_MAX) continue;
    // Two threads may fork at once: each child has a name of its own.
    const other = `${CHILD}-${world.log.n}-${tasks.length}`;
    const child = childLives || children > 0 ? other : CHILD;
    children += 1;
    tasks.push({ actor, name: 'fork', task: cpuOf(world, actor).fork(child) });
  }
  return tasks;
}

function taskOf(lab: FuzzWorld, { op }: FuzzOp, actor: string): NamedTask {
  if (!isTraceDeviceOp(op)) {
    return { actor, name: op.op, task: performCpuOp(cpuOf(lab.world, actor), op) };
  }
  const device = lab.devices[op.dev];
  if (device === undefined) throw new Error(`there is no device ${op.dev}`);
  // Oracles know a device by its actor, whichever of its threads acts.
  return { actor: `dev${op.dev}`, name: op.op, task: device.perform(verbOf(op)) };
}

function runTogether(
  world: World,
  policy: Policy,
  tasks: readonly NamedTask[],
  step: number,
): Finding | 'none' {
  const { scheduler } = world;
  const running = tasks.map(({ actor, name, task }) => scheduler.spawn(actor, name, task));
  try {
    const ended = scheduler.run(policy, STEP_LENGTH_MAX);
    return findingIn(world, running, ended, step);
  } catch (error) {
    if (!(error instanceof KernelBug)) throw error;
    return { rule: error.rule, text: error.message, step };
  }
}

function findingIn(
  world: World,
  running: readonly RunningTask[],
  ended: 'idle' | 'steps-used-up',
  step: number,
): Finding | 'none' {
  const [violation] = world.oracles.violations;
  if (violation !== undefined) return { rule: violation.rule, text: violation.text, step };
  const [order] = world.context.lockOrderViolations;
  if (order !== undefined) {
    const outer = `${order.outer.class} ${describeObject(order.outer.object)}`;
    return { rule: 'LK3', text: `${order.at} wants ${order.wanted.class} under ${outer}`, step };
  }
  const unfinished = running.filter((task) => task.state !== 'done');
  if (ended === 'steps-used-up' || unfinished.length > 0) {
    const stuck = ended === 'idle' ? world.scheduler.blockedTasks() : unfinished;
    const what = ended === 'idle' ? 'nothing can go on' : 'going in circles';
    return { rule: 'OR5', text: `${what}: ${stuck.map(waitingFor).join('; ')}`, step };
  }
  const [left] = leftBehind(world.kernel, pinsOf(world));
  return left === undefined ? 'none' : { rule: 'OR4', text: left, step };
}

/** One thread of each process that lives. */
function processesOf(world: World): string[] {
  cpuOf(world, 'cpu0');
  const names = new Map<number, string>();
  for (const [name, { mm }] of world.cpus) {
    if (mm.alive && !names.has(mm.id)) names.set(mm.id, name);
  }
  return [...names.values()];
}

/** The process reads every page that it has mapped, so that a value that was lost is missed. */
function looking(world: World): (name: string) => NamedTask {
  return (name) => ({ actor: name, name: 'look', task: loadAll(world, name) });
}

function* loadAll(world: World, name: string): Task<void> {
  const api = cpuOf(world, name);
  for (const vma of world.cpus.get(name)?.mm.vmas.slice() ?? []) {
    for (let page = vma.first; page < vma.end; page = nextPage(page)) {
      yield* api.load(addressOf(page));
    }
  }
}

function exiting(world: World): (name: string) => NamedTask {
  return (name) => ({ actor: name, name: 'exit', task: exit(world, name) });
}

/** The threads of a process give their pins up before it exits. */
function* exit(world: World, name: string): Task<void> {
  const mm = world.cpus.get(name)?.mm;
  for (const [thread, cpu] of world.cpus) {
    if (cpu.mm !== mm) continue;
    for (const id of [...cpu.pins.keys()]) yield* cpuOf(world, thread).unpin(id);
  }
  yield* cpuOf(world, name).exit();
}

function isAlive(world: World, name: string): boolean {
  return world.cpus.get(name)?.mm.alive === true;
}
