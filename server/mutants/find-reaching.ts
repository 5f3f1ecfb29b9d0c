/** A process that runs recordings, scenarios and shapes with marked lines, and prints which come to which. */

import type { Chooser } from '../explorer/replay.ts';
import { loadMarked } from './load-mutant.ts';
import { markLines } from './mark-lines.ts';
import { allMutants } from './mutants.ts';
import type { Reaching, ReachTable } from './reach-table.ts';

const mutants = allMutants();
const { files, unmarked } = markLines(mutants);
const reached = loadMarked(files);
const {
  builtDriverOf,
  recordings,
  runRecording,
  scenarioQuestions,
  shapeOnOldest,
  shapeQuestion,
  shapeWithDriver,
} = await import('./questions.ts');
const { goOnWithSame, replay, roundRobin, runWith } = await import('../explorer/replay.ts');
const { BadSetup, newScenarioRun, stepsMaxOf } = await import('../scenario/scenario-world.ts');
const { planScenario } = await import('../scenario/scenario-plan.ts');
const { programOf } = await import('../conformance/traces/read-traces.ts');
const { scattered } = await import('../verify/shapes/shape-order.ts');
const { shapesOf } = await import('../verify/shapes/shapes.ts');
type ScenarioPlan = ReturnType<typeof planScenario>;

/** What runs, and how long it took. */
interface Ran<T> {
  readonly name: T;
  readonly steps: number;
  readonly reached: ReadonlySet<string>;
  /** Before its actors begin: nearly everything comes to some lines then, to open a device for one. */
  readonly inSetup: ReadonlySet<string>;
}

const lastFirst: Chooser = (ready, previous) => goOnWithSame(ready.toReversed(), previous, 0);

/** In executions without needless switches, in either order of the actors, and in one where all take turns. */
function ranPlan(name: string, plan: ScenarioPlan): Ran<string> {
  reached.clear();
  const inSetup = new Set<string>();
  const newRun = () => {
    const before = [...reached];
    reached.clear();
    const run = newScenarioRun(plan);
    for (const id of reached) inSetup.add(id);
    reached.clear();
    for (const id of before) reached.add(id);
    return run;
  };
  try {
    const { steps } = replay(newRun, [], stepsMaxOf(plan));
    runWith(newRun, lastFirst, stepsMaxOf(plan));
    runWith(newRun, roundRobin(), stepsMaxOf(plan));
    return { name, steps: steps.length, reached: new Set(reached), inSetup };
  } catch (error) {
    // A driver that was put there need not know what the setup asks of it.
    if (!(error instanceof BadSetup)) throw error;
    return { name, steps: 0, reached: new Set(), inSetup };
  }
}

async function ranRecordings(): Promise<Ran<number>[]> {
  const ran: Ran<number>[] = [];
  for await (const recording of recordings()) {
    reached.clear();
    const program = programOf(recording.line);
    await runRecording(recording.version, program);
    const { steps } = program;
    const inSetup = new Set<string>();
    ran.push({ name: ran.length, steps: steps.length, reached: new Set(reached), inSetup });
  }
  return ran;
}

const ofRecordings = await ranRecordings();
const ofScenarios = scenarioQuestions().map(({ name, plan }) => ranPlan(name, plan()));
/** Of the shapes of two with another driver, and on another kernel, every so-manieth is asked. */
const MORE_EVERY = 12;
const drivers = new Set(mutants.map(({ file }) => builtDriverOf(file)));
const shapesRan = (size: 1 | 2) => {
  const shapes = [...shapesOf(size)];
  const fewer = shapes.filter(({ name }) => size === 1 || scattered(name) % MORE_EVERY === 0);
  const driven = [...drivers].flatMap((driver) =>
    driver === 'none' ? [] : fewer.map((shape) => shapeWithDriver(shape, driver)),
  );
  const named = [...shapes.map(({ name }) => name), ...fewer.map(shapeOnOldest), ...driven];
  return named.flatMap((name) => {
    if (name === 'none') return [];
    const { scenario, choice } = shapeQuestion(name);
    return [ranPlan(name, planScenario(scenario, choice))];
  });
};
const ofOne = shapesRan(1);
const ofTwo = shapesRan(2).sort((a, b) => scattered(a.name) - scattered(b.name));

/** Of the shapes of two that come there, so many: more are not asked within a minute. */
const SHAPES_MAX = 4_000;

const fileOf = new Map(mutants.map(({ id, file }) => [id, file]));
/** Files of which they come to some line: an interleaving that nobody has run yet may come to another. */
const filesOf = new Map(
  ofTwo.map((one) => [one, new Set([...one.reached].map((id) => fileOf.get(id)))]),
);

function reaching(id: string): Reaching {
  const comesThere = <T>({ reached: of }: Ran<T>) => unmarked.includes(id) || of.has(id);
  const early = <T>(one: Ran<T>) => one.inSetup.has(id) && !comesThere(one);
  const inOrder = <T>(all: readonly Ran<T>[]) => [
    ...smallestFirst(all.filter(comesThere)),
    ...smallestFirst(all.filter(early)),
  ];
  const pairs = ofTwo.filter(comesThere);
  const nearPairs = ofTwo.filter(
    (one) => !(comesThere(one) || early(one)) && filesOf.get(one)?.has(fileOf.get(id)),
  );
  const earlyPairs = ofTwo.filter(early);
  return {
    recordings: names(inOrder(ofRecordings)),
    scenarios: names(inOrder(ofScenarios)),
    shapes: [
      ...names(smallestFirst(ofOne.filter(comesThere))),
      ...new Set(pairs.flatMap(alternating(smallestFirst(pairs)))),
      ...names(smallestFirst(ofOne.filter(early))),
      ...names(earlyPairs),
      ...names(nearPairs),
    ].slice(0, SHAPES_MAX),
  };
}

/** In turn the next of the small ones, and the next of all: small ones are much alike. */
function alternating(small: readonly Ran<string>[]): (other: Ran<string>, at: number) => string[] {
  return (other, at) => [small[at] ?? other, other].map(({ name }) => name);
}

function smallestFirst<T>(all: readonly Ran<T>[]): Ran<T>[] {
  return all.toSorted((a, b) => a.steps - b.steps);
}

function names<T>(all: readonly Ran<T>[]): T[] {
  return all.map(({ name }) => name);
}

const table: ReachTable = Object.fromEntries(mutants.map(({ id }) => [id, reaching(id)]));
process.stdout.write(JSON.stringify(table));
