/** What a mutant is asked: recordings of Linux, the scenarios that ship, the shapes of one and of two operations. */
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { isKernelId, type KernelId } from '../abi/kernel-ids.ts';
import { newMachineWorld } from '../conformance/traces/machine-world.ts';
import type { TraceProgram } from '../conformance/traces/parse-program.ts';
import { programOf, readTraceLines, type TraceLine } from '../conformance/traces/read-traces.ts';
import { type ProgramOutcome, runProgram } from '../conformance/traces/run-program.ts';
import { shippedRecordings } from '../conformance/traces/shipped-recordings.ts';
import { isLivelock } from '../explorer/failure.ts';
import { type Chooser, goOnWithSame, roundRobin, runWith } from '../explorer/replay.ts';
import { describeBound } from '../report/bound.ts';
import { describeFailure } from '../report/describe-failure.ts';
import {
  AS_WRITTEN,
  planScenario,
  type ScenarioChoice,
  type ScenarioPlan,
} from '../scenario/scenario-plan.ts';
import type { Scenario } from '../scenario/scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from '../scenario/scenario-world.ts';
import { shippedScenario, shippedScenarioNames } from '../scenario/shipped-scenarios.ts';
import { exploreScenario } from '../verify/explore/explore-scenario.ts';
import { askShape, type ShapeRecord } from '../verify/shapes/ask-shape.ts';
import {
  type Shape,
  scenarioOfShape,
  shapeNamed,
  withChosenDriver,
} from '../verify/shapes/shapes.ts';
import { CONTRACT_ORACLE } from '../vocabulary/rules.ts';
import { runAtLine } from './at-the-line.ts';

/** What went wrong, in one line; 'none' if nothing did. */
export type Wrong = string | 'none';

/** Milliseconds that this process has computed: what else the machine does is not counted. */
export function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Of which there are recordings. */
const RECORDED = ['6.1', '6.12'] as const satisfies readonly KernelId[];

export interface Recording {
  readonly version: KernelId;
  readonly line: TraceLine;
}

/** In an order that is always the same. */
export async function* recordings(): AsyncGenerator<Recording> {
  for (const version of RECORDED) {
    for await (const line of readTraceLines(shippedRecordings(version))) yield { version, line };
  }
}

export function runRecording(version: KernelId, program: TraceProgram): Promise<ProgramOutcome> {
  return runProgram(program, (each) => newMachineWorld(each, { version }));
}

/** The first that differs of those with these places in `recordings`, in the order of `places`. */
export async function askRecordings(places: readonly number[]): Promise<Wrong> {
  const all: Recording[] = [];
  for await (const recording of recordings()) all.push(recording);
  for (const place of places) {
    const recording = all[place];
    if (recording === undefined) continue;
    const { version } = recording;
    const program = programOf(recording.line);
    const outcome = await runRecording(version, program);
    if (outcome.kind !== 'failed') continue;
    const { op, name, difference } = outcome;
    const { field, expected, actual } = difference;
    const where = `${version}, ${program.id}, operation ${op} (${name})`;
    return `${where}: ${field}: expected ${expected}, got ${actual}`;
  }
  return 'none';
}

export interface Question {
  readonly name: string;
  readonly plan: () => ScenarioPlan;
}

/** All is run in a few schedules, then looked at for a moment, before anything is asked in full. */
export type Thoroughness = 'in turn' | 'at the line' | 'for a moment' | 'in full';
const SCENARIO_BUDGETS = {
  'for a moment': { executions: 48, seconds: 0.7 },
  'in full': { executions: 600, seconds: 4 },
} as const;
const SHAPE_EXECUTIONS = { 'for a moment': 48, 'in full': 300 } as const;

/** How far to go, in milliseconds that this process has computed in all, and what does not count. */
export interface Limits {
  readonly how: Thoroughness;
  readonly until: number;
  /** Whether the kernel without the mutant passes the question. */
  readonly accept: (question: string) => boolean;
  /** How often the line of the mutant has run. */
  readonly count: () => number;
}

type Asking = Omit<Limits, 'accept'>;

/** What is said to hold of the kernel and of the drivers that keep the contract. */
export function scenarioQuestions(): readonly Question[] {
  return shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    if (scenario === 'none') return [];
    const { patches = {}, drivers = {} } = scenario.expect;
    const held = Object.entries(drivers).filter(([, word]) => word === 'holds');
    return [
      ...(patches.stock === 'holds'
        ? [{ name, plan: () => planScenario(scenario) }, onOldest(name, scenario)]
        : []),
      ...held.map(([driver]) => withDriver(name, scenario, driver)),
      contractOf(name, scenario),
    ];
  });
}

/** Versions of Linux do some things in ways of their own, and scenarios name but one. */
function onOldest(name: string, scenario: Scenario): Question {
  return {
    name: name + ON_KERNEL + OLDEST,
    plan: () => planScenario(scenario, { ...AS_WRITTEN, kernel: OLDEST }),
  };
}

function withDriver(name: string, scenario: Scenario, driver: string): Question {
  const variant = DRIVERS.get(driver);
  const drivers = new Map(variant === undefined ? [] : [['*', variant]]);
  return {
    name: `${name}, driver ${driver}`,
    plan: () => planScenario(scenario, { ...AS_WRITTEN, drivers }),
  };
}

function contractOf(name: string, { condition: _, ...scenario }: Scenario): Question {
  const asked: Scenario = { ...scenario, oracles: [CONTRACT_ORACLE] };
  return { ...withDriver(name, asked, 'corrected'), name: `${name}, driver contract` };
}

/** What throws is a crash of the mutant. */
function unlessItThrows(ask: () => ShapeAnswered): ShapeAnswered {
  try {
    return ask();
  } catch (error) {
    const why = `crash: ${error instanceof Error ? error.message : String(error)}`;
    return { word: 'broken', why };
  }
}

type ShapeAnswered = Pick<ShapeRecord, 'word' | 'why'>;

/** One actor behind the other, in both orders, and all by turns: most mistakes need no race. */
const SCHEDULES: readonly (() => Chooser)[] = [
  () => goOnWithSame,
  () => (ready, previous) => goOnWithSame(ready.toReversed(), previous, 0),
  roundRobin,
];

function inTurn(plan: ScenarioPlan): ShapeAnswered {
  for (const chooser of SCHEDULES) {
    const { failure } = runWith(() => newScenarioRun(plan), chooser(), stepsMaxOf(plan));
    if (failure === 'none' || isLivelock(failure)) continue;
    return { word: 'broken', why: describeFailure(failure) };
  }
  return { word: 'unknown', why: '' };
}

function atTheLine(plan: ScenarioPlan, count: () => number): ShapeAnswered {
  const failure = runAtLine(() => newScenarioRun(plan), stepsMaxOf(plan), count);
  if (failure === 'none') return { word: 'unknown', why: '' };
  return { word: 'broken', why: describeFailure(failure) };
}

function askQuestion({ plan }: Question, { how, until, count }: Asking): ShapeAnswered {
  if (how === 'in turn') return unlessItThrows(() => inTurn(plan()));
  if (how === 'at the line') return unlessItThrows(() => atTheLine(plan(), count));
  const { executions, seconds } = SCENARIO_BUDGETS[how];
  return unlessItThrows(() => {
    const { verdict, counterexample, bound } = exploreScenario(plan(), {
      strategy: 'dpor',
      budgetExecutions: executions,
      budgetSeconds: Math.min(seconds, (until - computed()) / 1_000),
      seed: 1,
      depth: 3,
      clock: computed,
      onProgress: () => undefined,
    });
    const why =
      counterexample === 'none' ? describeBound(bound) : describeFailure(counterexample.failure);
    return { word: verdict, why };
  });
}

/**
 * What goes wrong in the first of `all` that the kernel without the mutant passes. What holds is not asked again; what
 * the limit left is where the next call, if it is as thorough, goes on.
 */
export function asker<T extends { readonly name: string }>(
  all: readonly T[],
  ask: (one: T, limits: Asking) => ShapeAnswered,
  inFull: readonly T[] = all,
): (limits: Limits) => Wrong {
  const held = new Set<string>();
  const asked = { 'in turn': 0, 'at the line': 0, 'for a moment': 0, 'in full': 0 };
  return ({ how, until, accept, count }) => {
    for (const one of (how === 'in full' ? inFull : all).slice(asked[how])) {
      const { name } = one;
      if (computed() > until) return 'none';
      asked[how] += 1;
      if (held.has(name)) continue;
      const { word, why } = ask(one, { how, until, count });
      if (word === 'holds') held.add(name);
      if (word === 'broken' && accept(name)) return `${name}: ${why}`;
    }
    return 'none';
  };
}

/** In full the long ones come first: of the short ones a moment has left little. */
export function scenariosAsker(names: readonly string[]): (limits: Limits) => Wrong {
  const all = scenarioQuestions();
  const asked = names.flatMap((name) => all.find((one) => one.name === name) ?? []);
  return asker(asked, askQuestion, asked.toReversed());
}

export function shapesAsker(names: readonly string[]): (limits: Limits) => Wrong {
  return asker(names.map(shapeQuestion), askedShape);
}

/** A shape, with the driver that it has in a question. */
export interface ShapeQuestion {
  readonly name: string;
  readonly scenario: Scenario;
  readonly choice: ScenarioChoice;
}

const WITH_DRIVER = ', driver ';
const ON_KERNEL = ', on ';
export const [OLDEST] = RECORDED;
export const NEWEST: KernelId = 'mainline';

/** Of the shape with this name, or as shapeWithDriver() and shapeOn() say it. */
export function shapeQuestion(name: string): ShapeQuestion {
  const [asWritten = '', kernel] = name.split(ON_KERNEL);
  if (kernel !== undefined && isKernelId(kernel)) {
    const { scenario, choice } = shapeQuestion(asWritten);
    return { name, scenario, choice: { ...choice, kernel } };
  }
  const [shape = '', driver] = name.split(WITH_DRIVER);
  const found = shapeNamed(shape);
  if (driver === undefined) return { name, scenario: scenarioOfShape(found), choice: AS_WRITTEN };
  const chosen = withChosenDriver(found);
  const variant = DRIVERS.get(driver);
  if (chosen === 'none' || variant === undefined) throw new RangeError(`there is no ${name}`);
  const choice = { ...AS_WRITTEN, drivers: new Map([['*', variant]]) };
  return { name, scenario: scenarioOfShape(chosen), choice };
}

export function shapeOn({ name }: Shape, kernel: KernelId): string {
  return name + ON_KERNEL + kernel;
}

/** 'none': no device of it can have another driver. */
export function shapeWithDriver(shape: Shape, driver: string): string | 'none' {
  const hasDevice = scenarioOfShape(shape).actors.some(({ kind }) => kind === 'device');
  return hasDevice && withChosenDriver(shape) !== 'none'
    ? `${shape.name}${WITH_DRIVER}${driver}`
    : 'none';
}

/** Drivers that are built as those of Linux are, by the folders of their sources: shapes have another. */
const BUILT: Readonly<Record<string, readonly string[]>> = {
  amdkfd: ['amdkfd', 'amdkfd-no-retry'],
  i915: ['i915-userptr'],
  kvm: ['kvm-arm64'],
  mlx5: ['mlx5-odp'],
  nouveau: ['nouveau'],
  vfio: ['vfio'],
  xe: ['xe'],
};

/** Whose source `file` is, of those. */
export function builtDriversOf(file: string): readonly string[] {
  return BUILT[/^clients\/drivers\/([^/]+)\//.exec(file)?.[1] ?? ''] ?? [];
}

function askedShape(
  { scenario, choice }: ShapeQuestion,
  { how, until, count }: Asking,
): ShapeAnswered {
  if (how === 'in turn') return unlessItThrows(() => inTurn(planScenario(scenario, choice)));
  if (how === 'at the line') {
    return unlessItThrows(() => atTheLine(planScenario(scenario, choice), count));
  }
  return unlessItThrows(() =>
    askShape({
      scenario,
      choice,
      executions: SHAPE_EXECUTIONS[how],
      goOn: () => (computed() > until ? 'stop' : 'go on'),
    }),
  );
}

/** A scenario's question, or a shape, by its name. */
export function askNamed(name: string): Wrong {
  const question = scenarioQuestions().find((one) => one.name === name);
  const limits = { how: 'in full', until: Number.POSITIVE_INFINITY, count: () => 0 } as const;
  const { word, why } =
    question === undefined
      ? askedShape(shapeQuestion(name), limits)
      : askQuestion(question, limits);
  return word === 'broken' ? why : 'none';
}
