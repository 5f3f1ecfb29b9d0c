/** A process that runs recordings, scenarios and shapes with marked lines, and prints which come to which. */

import type { NewExplored } from '../explorer/explored.ts';
import type { Failure } from '../explorer/failure.ts';
import type { Chooser } from '../explorer/replay.ts';
import { ContestedSteps } from './contested-steps.ts';
import { loadMarked } from './load-mutant.ts';
import { markLines } from './mark-lines.ts';
import { allMutants } from './mutants.ts';
import { type Reaching, type ReachLine, tableText } from './reach-table.ts';

const mutants = allMutants();
const fileOf = new Map(mutants.map(({ id, file }) => [id, file]));
const { files, unmarked } = markLines(mutants);
const reached = new Set<string>();
/** Steps in which a line has run, where that is noted. */
let times: Map<string, number[]> | 'not noted' = 'not noted';
let step = 0;
loadMarked(files, (id) => {
  reached.add(id);
  if (times === 'not noted') return;
  const ofLine = times.get(id);
  if (ofLine === undefined) times.set(id, [step]);
  else if (ofLine.length < TIMES_MAX && ofLine.at(-1) !== step) ofLine.push(step);
});
/** A line may be in a loop. */
const TIMES_MAX = 3;
const {
  builtDriversOf,
  NEWEST,
  OLDEST,
  recordings,
  runRecording,
  scenarioQuestions,
  shapeOn,
  shapeQuestion,
  shapeWithDriver,
} = await import('./questions.ts');
const { isLivelock } = await import('../explorer/failure.ts');
const { goOnWithSame, roundRobin, runWith } = await import('../explorer/replay.ts');
const { BadSetup, newScenarioRun, stepsMaxOf } = await import('../scenario/scenario-world.ts');
const { planScenario } = await import('../scenario/scenario-plan.ts');
const { programOf } = await import('../conformance/traces/read-traces.ts');
const { scattered } = await import('../verify/shapes/shape-order.ts');
const { shapesOf } = await import('../verify/shapes/shapes.ts');
type Shape = Parameters<typeof shapeOn>[0];
type ScenarioPlan = ReturnType<typeof planScenario>;

/** What runs, and how long it took. */
interface Ran<T> {
  readonly name: T;
  readonly steps: number;
  readonly reached: ReadonlySet<string>;
  /** Before its actors begin: nearly everything comes to some lines then, to open a device for one. */
  readonly inSetup: ReadonlySet<string>;
  /** Where another task touches what the line touches. */
  readonly contested: ReadonlySet<string>;
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
    const { steps, contested, failure } = ranNoting(newRun, stepsMaxOf(plan));
    const failures = [
      failure,
      runWith(newRun, lastFirst, stepsMaxOf(plan)).failure,
      runWith(newRun, roundRobin(), stepsMaxOf(plan)).failure,
    ];
    // What goes wrong without a mistake says nothing of one.
    if (failures.some((each) => each !== 'none' && !isLivelock(each))) return nothingOf(name);
    return { name, steps, reached: new Set(reached), inSetup, contested };
  } catch (error) {
    // A driver that was put there need not know what the setup asks of it.
    if (!(error instanceof BadSetup)) throw error;
    return nothingOf(name);
  }
}

function nothingOf(name: string): Ran<string> {
  return { name, steps: 0, reached: new Set(), inSetup: new Set(), contested: new Set() };
}

/** One actor behind the other. */
function ranNoting(
  newRun: NewExplored,
  stepsMax: number,
): Pick<Ran<string>, 'contested' | 'steps'> & { readonly failure: Failure | 'none' } {
  const noted = new Map<string, number[]>();
  const chooser: Chooser = (ready, previous, depth) => {
    times = noted;
    step = depth;
    return goOnWithSame(ready, previous, depth);
  };
  const { steps, failure } = runWith(newRun, chooser, stepsMax);
  times = 'not noted';
  const contest = new ContestedSteps(steps);
  const contested = [...noted].filter(([, ofLine]) => ofLine.some((at) => contest.isAt(at)));
  return { steps: steps.length, failure, contested: new Set(contested.map(([id]) => id)) };
}

async function ranRecordings(): Promise<Ran<number>[]> {
  const ran: Ran<number>[] = [];
  for await (const recording of recordings()) {
    reached.clear();
    const program = programOf(recording.line);
    await runRecording(recording.version, program);
    const { steps } = program;
    const inSetup = new Set<string>();
    const contested = new Set<string>();
    const { length: name } = ran;
    ran.push({ name, steps: steps.length, reached: new Set(reached), inSetup, contested });
  }
  return ran;
}

const ofRecordings = await ranRecordings();
const ofScenarios = scenarioQuestions().map(({ name, plan }) => ranPlan(name, plan()));
/** Of the shapes of two with another driver, and on another kernel, every so-manieth is asked. */
const MORE_EVERY = 12;
/** But of those in which the device that is there acts, and beside it another. */
const HOLDER_EVERY = 4;
/** And of those that come to what only the newest kernel has. */
const NEWEST_EVERY = 2;
const NEWEST_FILES = `server/kernel/versions/${NEWEST}/`;
const drivers = new Set(mutants.flatMap(({ file }) => builtDriversOf(file)));

function isDriven({ name, operations }: Shape): boolean {
  const holders = operations.filter((operation) => operation.startsWith('holder-')).length;
  // What two threads of one device do meets in what the driver itself keeps.
  if (holders === operations.length) return true;
  return scattered(name) % (holders > 0 ? HOLDER_EVERY : MORE_EVERY) === 0;
}

function ranShape(name: string): Ran<string> {
  const { scenario, choice } = shapeQuestion(name);
  return ranPlan(name, planScenario(scenario, choice));
}

function ranDriven(shapes: readonly Shape[]): Ran<string>[] {
  return [...drivers].flatMap((driver) =>
    shapes.flatMap((shape) => {
      const name = shapeWithDriver(shape, driver);
      return name === 'none' ? [] : [ranShape(name)];
    }),
  );
}

const ones = [...shapesOf(1)];
const newest = ones.map((shape) => ({ shape, ran: ranShape(shapeOn(shape, NEWEST)) }));
/** Operations that come to what only the newest kernel has. */
const newestOperations = new Set(
  newest
    .filter(({ ran }) => [...ran.reached].some((id) => fileOf.get(id)?.startsWith(NEWEST_FILES)))
    .flatMap(({ shape }) => shape.operations),
);
const ofOne = [
  ...ones.flatMap((shape) => [ranShape(shape.name), ranShape(shapeOn(shape, OLDEST))]),
  ...newest.map(({ ran }) => ran),
  ...ranDriven(ones),
];
const twos = [...shapesOf(2)];
const places = new Map(twos.map(({ name }, at) => [name, at]));
const ofTwo = [
  ...twos.map(({ name }) => ranShape(name)),
  ...twos
    .filter(({ name }) => scattered(name) % MORE_EVERY === 0)
    .map((shape) => ranShape(shapeOn(shape, OLDEST))),
  ...twos
    .filter(
      ({ name, operations }) =>
        scattered(name) % NEWEST_EVERY === 0 &&
        operations.some((operation) => newestOperations.has(operation)),
    )
    .map((shape) => ranShape(shapeOn(shape, NEWEST))),
  ...ranDriven(twos.filter(isDriven)),
].sort((a, b) => scattered(a.name) - scattered(b.name));

/** Of the shapes of two that come there, so many: more are not asked within a minute. */
const SHAPES_MAX = 4_000;
const RACES_MAX = 2_500;

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
  const others = [...new Set(pairs.flatMap(alternating(smallestFirst(pairs))))];
  return {
    recordings: names(inOrder(ofRecordings)),
    scenarios: names(inOrder(ofScenarios)),
    shapes: [
      ...names(smallestFirst(ofOne.filter(comesThere))),
      ...others,
      ...names(smallestFirst(ofOne.filter(early))),
      ...names(earlyPairs),
      ...names(nearPairs),
    ].slice(0, SHAPES_MAX),
    races: names(races(id, pairs, nearPairs)).slice(0, RACES_MAX),
  };
}

/**
 * Pairs of operations that come to the line in some memory, those first that contest it: of each of them one memory in
 * turn, and as many where they have not come there by themselves, since it may take a race to. Other pairs come last.
 */
function races(
  id: string,
  pairs: readonly Ran<string>[],
  nearPairs: readonly Ran<string>[],
): Ran<string>[] {
  const contested = pairs.filter((one) => one.contested.has(id));
  const quiet = pairs.filter((one) => !one.contested.has(id));
  const near = Map.groupBy(nearPairs, operationsOf);
  const withNear = (all: readonly Ran<string>[]) =>
    inGroups(all, (group) => {
      const others = plainFirst(near.get(operationsOf(group[0] as Ran<string>)) ?? []);
      return group.flatMap((one, at) => [one, ...others.slice(at, at + 1)]);
    });
  return [...new Set([...withNear(contested), ...withNear(quiet), ...inGroups(nearPairs)])];
}

/** In turn the next of the small ones, and the next of all: small ones are much alike. */
function alternating(small: readonly Ran<string>[]): (other: Ran<string>, at: number) => string[] {
  return (other, at) => [small[at] ?? other, other].map(({ name }) => name);
}

/** Of each pair of operations one in turn, whatever the memory; with another driver or kernel last. */
function inGroups(
  pairs: readonly Ran<string>[],
  ordered: (group: readonly Ran<string>[]) => readonly Ran<string>[] = (group) => group,
): Ran<string>[] {
  const groups = [...Map.groupBy(plainFirst(pairs), operationsOf).values()].map((group) =>
    ordered(simplestFirst(group)),
  );
  const longest = Math.max(0, ...groups.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => at).flatMap((at) =>
    groups.flatMap((group) => group.slice(at, at + 1)),
  );
}

/** The simplest memory, as the catalogue has them, and behind it the others by chance: they are much alike. */
function simplestFirst(group: readonly Ran<string>[]): readonly Ran<string>[] {
  const [simplest] = group.toSorted((a, b) => placeOf(a) - placeOf(b));
  return simplest === undefined ? group : [simplest, ...group.filter((one) => one !== simplest)];
}

function placeOf({ name }: Ran<string>): number {
  return places.get(name) ?? places.size;
}

function plainFirst(all: readonly Ran<string>[]): Ran<string>[] {
  return all.toSorted((a, b) => Number(isVaried(a)) - Number(isVaried(b)));
}

function operationsOf({ name }: Ran<string>): string {
  return /:([^,]*)/.exec(name)?.[1] ?? '';
}

function isVaried({ name }: Ran<string>): boolean {
  return name.includes(',');
}

function smallestFirst<T>(all: readonly Ran<T>[]): Ran<T>[] {
  return all.toSorted((a, b) => a.steps - b.steps);
}

function names<T>(all: readonly Ran<T>[]): T[] {
  return all.map(({ name }) => name);
}

const table: readonly ReachLine[] = mutants.map(({ id }) => [id, reaching(id)]);
process.stdout.write(tableText(table));
