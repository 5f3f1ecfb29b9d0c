/** What a mutant is asked: recordings of Linux, the scenarios that ship, the shapes of two operations. */
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import type { KernelId } from '../abi/kernel-ids.ts';
import { newMachineWorld } from '../conformance/traces/machine-world.ts';
import { readTraces } from '../conformance/traces/read-traces.ts';
import { runProgram } from '../conformance/traces/run-program.ts';
import { shippedRecordings } from '../conformance/traces/shipped-recordings.ts';
import { replay } from '../explorer/replay.ts';
import { describeBound } from '../report/bound.ts';
import { describeFailure } from '../report/describe-failure.ts';
import { AS_WRITTEN, planScenario, type ScenarioPlan } from '../scenario/scenario-plan.ts';
import type { Scenario } from '../scenario/scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from '../scenario/scenario-world.ts';
import { shippedScenario, shippedScenarioNames } from '../scenario/shipped-scenarios.ts';
import { exploreScenario } from '../verify/explore/explore-scenario.ts';
import { askShape, type ShapeRecord } from '../verify/shapes/ask-shape.ts';
import { likelyFirst } from '../verify/shapes/shape-order.ts';
import { type Shape, scenarioOfShape, shapeNamed, shapesOf } from '../verify/shapes/shapes.ts';
import { CONTRACT_ORACLE } from '../vocabulary/rules.ts';

/** What went wrong, in one line; 'none' if nothing did. */
export type Wrong = string | 'none';

/** Milliseconds that this process has computed: what else the machine does is not counted. */
export function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Of which there are recordings. */
const RECORDED: readonly KernelId[] = ['6.1', '6.12'];

/** The first recording that differs. Those come first that were written for what is easy to get wrong. */
export async function askRecordings(): Promise<Wrong> {
  for (const version of RECORDED) {
    for await (const { program } of readTraces(shippedRecordings(version))) {
      const outcome = await runProgram(program, (each) => newMachineWorld(each, { version }));
      if (outcome.kind !== 'failed') continue;
      const { op, name, difference } = outcome;
      const { field, expected, actual } = difference;
      const where = `${version}, ${program.id}, operation ${op} (${name})`;
      return `${where}: ${field}: expected ${expected}, got ${actual}`;
    }
  }
  return 'none';
}

export interface Question {
  readonly name: string;
  readonly plan: () => ScenarioPlan;
}

/** All is looked at for a moment before anything is asked in full. */
export type Thoroughness = 'for a moment' | 'in full';
export const THOROUGHNESS: readonly Thoroughness[] = ['for a moment', 'in full'];
const SCENARIO_BUDGETS = {
  'for a moment': { executions: 48, seconds: 1 },
  'in full': { executions: 600, seconds: 10 },
} as const satisfies Record<Thoroughness, object>;
const SHAPE_EXECUTIONS = { 'for a moment': 48, 'in full': 300 } as const;
/** Of all shapes together. */
export const SHAPES_SECONDS = 60;

/** What is said to hold of the kernel and of the drivers that keep the contract. */
export function scenarioQuestions(): readonly Question[] {
  return shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    if (scenario === 'none') return [];
    const { patches = {}, drivers = {} } = scenario.expect;
    const held = Object.entries(drivers).filter(([, word]) => word === 'holds');
    return [
      ...(patches.stock === 'holds' ? [{ name, plan: () => planScenario(scenario) }] : []),
      ...held.map(([driver]) => withDriver(name, scenario, driver)),
      contractOf(name, scenario),
    ];
  });
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

/** What is wrong with the answer. What throws is a crash of the mutant. */
function askQuestion({ plan }: Question, how: Thoroughness): Wrong {
  const { executions, seconds } = SCENARIO_BUDGETS[how];
  try {
    const { verdict, counterexample, bound } = exploreScenario(plan(), {
      strategy: 'dpor',
      budgetExecutions: executions,
      budgetSeconds: seconds,
      seed: 1,
      depth: 3,
      clock: computed,
      onProgress: () => undefined,
    });
    if (verdict !== 'broken') return 'none';
    return counterexample === 'none'
      ? describeBound(bound)
      : describeFailure(counterexample.failure);
  } catch (error) {
    return `crash: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What goes wrong in the first of `questions` that the kernel without the mutant passes. */
export function askAll(
  questions: readonly Question[],
  how: Thoroughness,
  accept: (question: string) => boolean,
): Wrong {
  for (const question of questions) {
    const wrong = askQuestion(question, how);
    if (wrong !== 'none' && accept(question.name)) return `${question.name}: ${wrong}`;
  }
  return 'none';
}

/**
 * Asks shapes that come to the line of the mutant, as far as that can be seen, as `verdict --shapes` orders them: those
 * first in which one operation comes there by itself.
 */
export function shapesAsker(
  marked: Marked,
  accept: (shape: string) => boolean,
): (how: Thoroughness) => Wrong {
  const comesThere = reachingShapes(marked);
  const held = new Set<string>();
  let left = SHAPES_SECONDS * 1_000;
  let asked: readonly Shape[] = [];
  return (how) => {
    const until = computed() + left;
    if (asked.length === 0) {
      asked = [...shapesOf(1), ...likelyFirst([...shapesOf(2)], comesThere)];
    }
    for (const shape of asked) {
      left = until - computed();
      if (left < 0) return 'none';
      if (held.has(shape.name) || !comesThere(shape)) continue;
      const { word, why } = askedShape(shape, how);
      if (word === 'holds') held.add(shape.name);
      if (word === 'broken' && accept(shape.name)) return `${shape.name}: ${why}`;
    }
    return 'none';
  };
}

/** Asked once of each. */
function reachingShapes(marked: Marked): (shape: Shape) => boolean {
  const known = new Map<string, boolean>();
  return (shape) => {
    const { name } = shape;
    const reached =
      marked === 'not marked' ||
      (known.get(name) ?? reaches({ name, plan: () => planScenario(scenarioOfShape(shape)) }));
    known.set(name, reached);
    return reached;
  };
}

function askedShape(shape: Shape, how: Thoroughness): Pick<ShapeRecord, 'word' | 'why'> {
  try {
    return askShape({
      scenario: scenarioOfShape(shape),
      choice: AS_WRITTEN,
      executions: SHAPE_EXECUTIONS[how],
      goOn: () => 'go on',
    });
  } catch (error) {
    return { word: 'broken', why: `crash: ${error instanceof Error ? error.message : error}` };
  }
}

/** Whether the line of the mutant tells when it runs. */
type Marked = 'marked' | 'not marked';

/** Those in which the execution that comes first comes to the line of the mutant, as far as that can be seen. */
export function reaching(questions: readonly Question[], marked: Marked): readonly Question[] {
  return marked === 'marked' ? questions.filter(reaches) : questions;
}

const mark = globalThis as { mutantReached?: boolean };

/** Whether the execution that comes first comes to the line of the mutant. */
function reaches({ plan }: Question): boolean {
  mark.mutantReached = false;
  try {
    const made = plan();
    replay(() => newScenarioRun(made), [], stepsMaxOf(made));
  } catch {
    return true;
  }
  return mark.mutantReached;
}

/** A scenario's question, or a shape, by its name. */
export function askNamed(name: string): Wrong {
  const question = scenarioQuestions().find((one) => one.name === name);
  if (question !== undefined) return askQuestion(question, 'in full');
  const { word, why } = askedShape(shapeNamed(name), 'in full');
  return word === 'broken' ? why : 'none';
}
