/** Builds the worlds that the explorer asks for: one for each execution, so building one must be cheap. */
import type { LabDevice } from '../../clients/drivers/interface/driver-variant.ts';
import type { CpuApi } from '../abi/cpu-api.ts';
import type { DmaPins } from '../abi/dma-pins.ts';
import type { Event } from '../abi/event.ts';
import type { Explored } from '../explorer/explored.ts';
import { bindIommu } from '../kernel/api/kernel-iommu.ts';
import { readPinned, writePinned } from '../kernel/hmm/pinned-io.ts';
import { setPageDirtyLock } from '../kernel/memory/set-page-dirty-lock.ts';
import { createFile } from '../kernel/syscalls/create-file.ts';
import { kernelFunctions } from '../kernel/versions/kernels.ts';
import { forgetReported } from '../machine/oracles/contract/watched-device.ts';
import {
  cpuOf,
  deviceOf,
  kernelThreadOf,
  newWorld,
  runTask,
  threadOf,
  type World,
  type WorldOptions,
} from '../machine/world.ts';
import { patched } from '../patches/patch.ts';
import { describeEvent } from '../report/describe-event.ts';
import { UserBug } from '../task/assertions.ts';
import { enterLoop, keepOnly, loopAgain, type TaskIdentity } from '../task/context.ts';
import { type ObjectId, objectId, objectName } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';
import { type Task, waitUntil, willRead } from '../task/task.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { pageOfU64 } from '../vocabulary/page-contents.ts';
import { CONTRACT_ORACLE } from '../vocabulary/rules.ts';
import { BadUserCode, EndlessLoop, lastReturn } from './bad-user-code.ts';
import type { OpContext } from './compile-op.ts';
import { describeEnd, failureAtEnd } from './end-of-run.ts';
import { fairFaults } from './fair-faults.ts';
import { forgetting } from './forgetting.ts';
import { forkOf, newMilestones } from './milestones.ts';
import { steersProgram } from './op-schema.ts';
import { rangeOfVma } from './places.ts';
import type { RoundStep } from './repeated-rounds.ts';
import type { PlannedOp, PlannedThread, ScenarioPlan } from './scenario-plan.ts';
import { stuckTasks } from './stuck-tasks.ts';
import { isAsked, type RunWatch, watchRun } from './watch-run.ts';
import { countTurnsOf } from './watched-code.ts';
import { watchWindow } from './window.ts';
import { worldContents } from './world-contents.ts';

/** Collisions in a row after which a verb gives up: it does not, for each needs an invalidation, and those end. */
const DEFAULT_RETRIES_MAX = Number.POSITIVE_INFINITY;
/** Steps of one execution, unless the scenario says otherwise. */
export const DEFAULT_STEPS_MAX = 5_000;

/** Steps of one operation of a setup. */
const SETUP_STEPS_MAX = 1_000_000;

/** What the program of a thread is called for an explorer that forgets what its operations have learnt. */
const PROGRAM = objectId('hold', HOLD_OWNERS.calls, 0);

/** One world of a scenario: what the explorer needs, and what reports need besides. */
export interface ScenarioRun extends Explored {
  readonly world: World;
  /** `actor.name` to value, for those that were set. */
  readonly registers: ReadonlyMap<string, string>;
  /** The round that repeats without end, if failure() says so. */
  readonly round: () => readonly RoundStep[] | 'none';
  readonly roundOf: RunWatch['roundOf'];
}

export function stepsMaxOf(plan: ScenarioPlan): number {
  return plan.scenario.bounds?.steps ?? DEFAULT_STEPS_MAX;
}

/** Collisions in a row after which a verb of a driver gives up. */
export function retriesMaxOf(plan: ScenarioPlan): number {
  return plan.scenario.bounds?.retries ?? DEFAULT_RETRIES_MAX;
}

/** A world before its setup. */
export interface ScenarioOpening {
  readonly world: World;
  /** To be run to their ends, one after the other. */
  readonly setup: readonly SetupTask[];
  /** The programs stand ready. Call it when the setup has run. */
  begin(): ScenarioRun;
}

/** Before any question can be asked, the setup of a scenario fails: by itself, or with the user's patch or driver. */
export class BadSetup extends BadInput {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadSetup';
  }
}

/** One part of a setup. Its task throws BadInput if it cannot be done. */
export interface SetupTask {
  readonly actor: string;
  readonly name: string;
  readonly task: () => Task<unknown>;
}

export interface OpenOptions extends Pick<WorldOptions, 'logLocks'> {
  /** 'unread': the caller sees to it that no program looks at a sequence (UnreadSequences). */
  readonly sequences?: 'unread';
  /** Hears every event from the first of the setup on. */
  readonly hear?: (event: Event) => void;
}

/**
 * A world whose setup has run and whose programs stand ready.
 *
 * With `logLocks` the event log has which task takes and releases which lock, for a viewer; the run is the same.
 *
 * Throws: BadInput if the setup cannot be done; what user code throws.
 */
export function newScenarioRun(plan: ScenarioPlan, options: OpenOptions = {}): ScenarioRun {
  const opening = openScenario(plan, options);
  for (const part of opening.setup) finish(plan, opening.world, part);
  return opening.begin();
}

/** Throws what user code throws. */
export function openScenario(
  plan: ScenarioPlan,
  { logLocks = false, hear, sequences }: OpenOptions = {},
): ScenarioOpening {
  plan.onNewWorld?.();
  const cpus = plan.threads.map(({ actor }) => actor);
  const fair = fairFaults(cpus, plan.faultsMax);
  const own = ownCodeIn(plan);
  const patches = [...plan.choice.patches, forgetting, fair.patch];
  const contract = plan.oracles.has(CONTRACT_ORACLE) ? 'watched' : 'off';
  const world = newWorld({
    version: plan.kernel,
    patches,
    config: plan.config,
    contract,
    logLocks,
  });
  world.context.userCode = own === 'none' ? 'none' : 'runs';
  countTurnsOf(() => world.scheduler.steps);
  if (hear !== undefined) world.log.listeners.push(hear);
  for (const { id, words } of plan.files) {
    createFile(
      world.kernel,
      id,
      words.map((word) => pageOfU64(BigInt(word))),
    );
  }
  const surroundings = surroundingsOf(plan, world);
  const begin = (): ScenarioRun => {
    makeThreads(plan, world);
    if (world.contract !== 'off') forgetReported(world.contract);
    const registers = new Map<string, string>();
    fair.start(world);
    const watch = watchRun(plan, world, fair);
    world.scheduler.catchThrown(({ identity }, thrown) =>
      answerThrown(watch, own, identity, thrown),
    );
    const far = plan.devices.filter(({ driver }) => driver.runs === 'far');
    const window = watchWindow(plan.window, new Set(far.map(({ name }) => name)));
    if (plan.window.length > 0) world.log.listeners.push(window.see);
    for (const thread of plan.threads) {
      const program = threadTask(thread, surroundings, registers, {
        begins: (does) => {
          world.context.current.name = does;
        },
        forgets: (known) => keepOnly(world.context, PROGRAM, known),
      });
      const task = watched(world, program, thread.actor, watch);
      world.scheduler.spawn(thread.actor, thread.name, task);
    }
    const freeFrames = () => freeFramesOf(plan, surroundings);
    const invalidating = () => invalidatingOf(plan, surroundings);
    const end = { world, registers, freeFrames, invalidating };
    return {
      world,
      registers,
      scheduler: world.scheduler,
      failure: watch.failure,
      round: watch.round,
      roundOf: watch.roundOf,
      failureAtEnd: (stuck) => failureAtEnd(plan, end, stuck),
      windowEntered: window.entered,
      outcome: () => describeEnd(plan, end),
      // A task that waits when a failure ends the execution early may still be woken.
      stuck: () =>
        world.scheduler.readyTasks().length > 0
          ? 'none'
          : stuckTasks(plan, world, world.scheduler.blockedTasks()),
      // The oracles note what they read themselves.
      alsoReads: () => [],
      ...(sequences === 'unread' ? { countedOnly: isSubscriptions } : {}),
      contents: worldContents({
        world,
        devices: plan.devices.map(({ name }) => surroundings.device(name)),
        names: plan.devices.map(({ name }) => name),
        registers,
        milestones: surroundings.milestones,
        sequences: sequences ?? sequencesIn(plan),
        more: fair.state,
        windowReached: window.reached,
      }),
    };
  };
  return { world, setup: setupOf(plan, surroundings), begin };
}

function isSubscriptions(object: ObjectId): boolean {
  return objectName(object).kind === 'subscriptions';
}

/** Functions that make sequences and ask for them. */
export const SEQUENCED = [
  'mmuIntervalReadBegin',
  'mmuIntervalNotifierInsert',
  'mmuNotifierInvalidateRangeStart',
  'mmuNotifierInvalidateRangeEnd',
] as const;

/** The kernel's own functions promise to compare sequences and to do nothing else with them (holdToCompare()). */
export function sequencesIn({ kernel, choice: { patches } }: ScenarioPlan): 'compared' | 'kept' {
  const own = kernelFunctions(kernel);
  const now = patched(own, patches);
  return SEQUENCED.some((name) => now[name] !== own[name]) ? 'kept' : 'compared';
}

function freeFramesOf(plan: ScenarioPlan, surroundings: OpContext): Map<string, readonly Pfn[]> {
  const found = new Map<string, readonly Pfn[]>();
  for (const { name } of plan.devices) {
    const frames = surroundings.device(name).freeFrames?.() ?? 'unknown';
    if (frames !== 'unknown') found.set(name, frames);
  }
  return found;
}

function invalidatingOf(plan: ScenarioPlan, surroundings: OpContext): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name } of plan.devices) {
    const count = surroundings.device(name).invalidating?.() ?? 0;
    if (count !== 0) found.set(name, count);
  }
  return found;
}

/** A thread is there, and its TLB is flushed, before it does anything. A child's comes with its fork. */
function makeThreads(plan: ScenarioPlan, world: World): void {
  for (const { kind, name } of plan.instances) {
    if (kind === 'kernel') kernelThreadOf(world, name);
    if (kind === 'cpu' && !plan.children.has(name)) threadOf(world, name);
  }
}

function surroundingsOf(plan: ScenarioPlan, world: World): OpContext {
  const cpus = new Map<string, CpuApi>();
  const kernelThreads = new Set(
    plan.instances.filter(({ kind }) => kind === 'kernel').map(({ name }) => name),
  );
  const devices = new Map<string, LabDevice>();
  for (const [deviceNumber, { name }] of plan.devices.entries()) {
    devices.set(name, newDevice(plan, world, deviceNumber));
  }
  return {
    world,
    milestones: newMilestones(world.context, plan.milestones),
    // Made when it is first used: a child's thread must not exist before its fork.
    cpu(actor) {
      const known = cpus.get(actor);
      if (known !== undefined) return known;
      // A setup may use one before the programs stand ready.
      if (kernelThreads.has(actor)) kernelThreadOf(world, actor);
      const made = cpuOf(world, actor);
      cpus.set(actor, made);
      return made;
    },
    device(actor) {
      const found = devices.get(actor);
      if (found === undefined) throw new RangeError(`there is no device ${actor}`);
      return found;
    },
  };
}

function newDevice(plan: ScenarioPlan, world: World, deviceNumber: number): LabDevice {
  const planned = plan.devices[deviceNumber];
  if (planned === undefined) throw new RangeError(`there is no device number ${deviceNumber}`);
  const { name, driver, memoryPages, pgmapOwner } = planned;
  const api = deviceOf(world, name, () => made.callbacks, driver.runs);
  if (driver.notifiers !== 'classic') api.mmuNotifierRegister = unannounced;
  const made: LabDevice = driver.newDevice({
    api,
    context: world.context,
    deviceNumber,
    memoryPages,
    pgmapOwner,
    retriesMax: retriesMaxOf(plan),
    setPageDirtyLock: (pfn) => setPageDirtyLock(world.kernel, pfn),
    bindIommu: () => bindIommu(world.kernel, world.mm, name),
    dmaPins: () => dmaPinsOf(world, name),
  });
  return made;
}

/** VFIO and its like are set up by system calls: the thread that makes them bears the device's name. */
function dmaPinsOf(world: World, name: string): DmaPins {
  const calls = cpuOf(world, name);
  const thread = threadOf(world, name);
  return {
    pin: calls.pin,
    unpin: calls.unpin,
    read: (id, page) => readPinned(world.kernel, thread, { id, page }),
    write: (id, page, value) => writePinned(world.kernel, thread, { id, page }, value),
  };
}

/** What can change places is worked out before the first step. */
function unannounced(): never {
  throw new TypeError("a driver that calls mmuNotifierRegister() says so: notifiers: 'classic'");
}

function setupOf(plan: ScenarioPlan, surroundings: OpContext): SetupTask[] {
  const cpu = plan.instances.find(({ kind }) => kind === 'cpu')?.name ?? 'cpu0';
  return [
    ...plan.devices.map(({ name }) => ({
      actor: name,
      name: 'open',
      task: () => openDevice(name, surroundings.device(name)),
    })),
    ...plan.vmas.map((vma) => ({
      actor: cpu,
      name: 'mmap',
      task: () => {
        const { prot, kind, file, offset } = vma;
        return surroundings.cpu(cpu).mmap({
          range: rangeOfVma(vma),
          prot,
          kind,
          ...(file === undefined ? {} : { file }),
          ...(offset === undefined ? {} : { offset }),
        });
      },
    })),
    ...plan.setup.map(({ actor, name, run }) => ({
      actor,
      name,
      task: () => run(surroundings, actor),
    })),
  ];
}

function* openDevice(name: string, device: LabDevice): Task<void> {
  const opened = yield* device.open();
  if (!opened.ok) throw new BadSetup(`setup: ${name} cannot be opened: ${opened.errno}`);
}

function finish(plan: ScenarioPlan, world: World, part: SetupTask): void {
  const { actor, name, task } = part;
  const before = world.oracles.violations.length;
  const ran = setUp(name, actor, () => runTask(world, actor, name, task(), SETUP_STEPS_MAX));
  judgeSetup(plan, world, part, before);
  if (ran.kind === 'done') return;
  const waiting = ran.waiting.length === 0 ? 'it goes in circles' : ran.waiting.join('; ');
  throw new BadSetup(
    `setup: ${name} of ${actor} does not end: ${waiting}; a setup must work alone`,
  );
}

/**
 * What the scenario's oracles have seen in this part of the setup, from violation `before` on. A scenario that begins
 * with a rule broken asks nothing: its answer would be the same whatever the schedule.
 *
 * Throws: BadSetup, with the rule and what led to it.
 */
export function judgeSetup(
  plan: ScenarioPlan,
  { oracles: { violations }, log }: World,
  { actor, name }: SetupTask,
  before: number,
): void {
  const found = violations.slice(before).find((each) => isAsked(plan, each));
  if (found === undefined) return;
  const numbers = new Set([...found.cpuHistory, ...found.deviceHistory]);
  const history = log.kept.filter(({ n }) => numbers.has(n)).map(describeEvent);
  const broken = `setup: ${name} of ${actor} breaks ${found.rule}: ${found.text}`;
  throw new BadSetup([`${broken}; what led to it:`, ...history].join('\n'));
}

/** What goes wrong before the question is asked is no answer to it. */
function setUp<T>(name: string, actor: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof UserBug) {
      throw new BadSetup(`setup: ${name} of ${actor}: BUG: ${error.message}`, { cause: error });
    }
    if (error instanceof EndlessLoop) {
      throw new BadSetup(`setup: ${name} of ${actor}: ${error.message}`, { cause: error });
    }
    if (!(error instanceof KernelBug)) throw error;
    const remedy = 'with this patch and driver the scenario cannot be set up';
    throw new BadSetup(`setup: ${name} of ${actor}: kernel BUG: ${error.message}; ${remedy}`, {
      cause: error,
    });
  }
}

/**
 * The program of one thread, wherever its actor runs. What it reads goes into `registers`. A child waits for its fork,
 * and does nothing if that fails.
 */
export function* threadTask(
  thread: PlannedThread,
  surroundings: OpContext,
  registers: Map<string, string>,
  steps: ProgramSteps,
): Task<void> {
  const { actor, ops } = thread;
  const { milestones } = surroundings;
  if (milestones.birth(actor) === 'awaited') {
    const name = forkOf(actor);
    yield waitUntil('program.fork', milestones.object(name), () => milestones.reached(name));
  }
  if (milestones.birth(actor) === 'born') {
    yield* inRounds(ops, { actor, surroundings, registers, ...steps });
  }
  milestones.threadEnded(actor);
}

/** Told before each operation of a thread. */
export interface ProgramSteps {
  readonly begins: (does: string) => void;
  /** Of all that operations have taught the thread nothing is left but how far it has come. */
  readonly forgets: (known: string) => void;
}

/** What the operations of a thread have to do with. */
interface OpsOf extends ProgramSteps {
  readonly actor: string;
  readonly surroundings: OpContext;
  readonly registers: Map<string, string>;
}

/** `where` distinguishes it from all other times that the thread does some. */
function* once(some: readonly PlannedOp[], of: OpsOf, where: string): Task<void> {
  const { actor, surroundings, registers, begins } = of;
  for (const [done, { op, run, register }] of some.entries()) {
    of.forgets(`${where} ${done}`);
    if (!steersProgram(op)) begins(op.do);
    const value = yield* run(surroundings, actor);
    if (register !== 'none') registers.set(register, value);
    surroundings.milestones.opDone(actor, op.do);
  }
}

/** What stands before `repeat` is done so many times, or until another thread has come far enough. */
function* inRounds(ops: readonly PlannedOp[], of: OpsOf): Task<void> {
  const at = ops.findIndex(({ op }) => op.do === 'repeat');
  const repeat = ops[at]?.op;
  if (repeat?.do !== 'repeat') return yield* once(ops, of, 'all');
  const round = ops.slice(0, at);
  const { until, times = 1 } = repeat;
  if (until === undefined) for (let n = 0; n < times; n += 1) yield* once(round, of, `round ${n}`);
  else {
    // Only here: a client has no world.
    const { world, milestones } = of.surroundings;
    const { context } = world;
    const loop = objectId('hold', HOLD_OWNERS.rounds, context.current.id);
    const awaited = milestones.object(until);
    enterLoop(context, loop);
    for (;;) {
      yield willRead('program.round', awaited);
      if (milestones.reached(until)) break;
      yield* once(round, of, 'round');
      loopAgain(context, loop);
    }
  }
  yield* once(ops.slice(at), of, 'behind');
}

function* watched(
  { context }: World,
  task: Task<void>,
  actor: string,
  watch: RunWatch,
): Task<void> {
  enterLoop(context, PROGRAM);
  yield* task;
  watch.threadEnded(actor);
}

/**
 * A kernel that finds itself in an impossible state stops, as with BUG(): that is an answer, in whichever task it
 * happens, a callback's too. So is a crash of a user's own code, which may take this schedule. Whatever else is thrown
 * is a mistake of the simulation, and no answer.
 */
function answerThrown(
  watch: RunWatch,
  own: OwnCode,
  { actor, name }: TaskIdentity,
  thrown: unknown,
): 'handled' | 'rethrow' {
  if (thrown instanceof KernelBug) {
    const { rule, message } = thrown;
    watch.fail({ kind: 'kernel bug', rule, text: message, actor, task: name });
    return 'handled';
  }
  if (thrown instanceof UserBug) {
    const { message } = thrown;
    watch.fail({ kind: 'crash', how: 'assertion', text: message, actor, task: name });
    return 'handled';
  }
  if (thrown instanceof EndlessLoop) {
    watch.endless({ actor, task: name, at: thrown.place });
    return 'handled';
  }
  if (own === 'none') return 'rethrow';
  watch.fail({ kind: 'crash', how: 'error', text: crashText(thrown), actor, task: name });
  return 'handled';
}

/** Whether the user's own code runs. */
type OwnCode = 'some' | 'none';

function ownCodeIn({ choice, devices }: ScenarioPlan): OwnCode {
  const files = [...choice.patches, ...devices.map(({ driver }) => driver)];
  return files.some(({ file }) => file !== undefined) ? 'some' : 'none';
}

/** What guards have said; of what the kernel could not go on with, what it was given last. */
function crashText(thrown: unknown): string {
  if (thrown instanceof BadUserCode) return thrown.message;
  const said = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  const returned = lastReturn();
  return returned === 'none' ? said : `${returned}; the kernel cannot go on with it: ${said}`;
}
