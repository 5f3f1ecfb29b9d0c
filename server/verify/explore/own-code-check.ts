/**
 * Tries a user's patch and drivers before they are explored, and again behind it: they must come to an end, and the
 * same choices must lead to the same steps, the same events and the same end.
 */
import { atRandom } from '../../explorer/measure.ts';
import {
  type Chooser,
  goOnWithSame,
  type Replayed,
  replay,
  runWith,
} from '../../explorer/replay.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { BadUserCode } from '../../scenario/guard-user-code.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { lineNaming } from '../../scenario/source-line.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import { streamOf } from './random-stream.ts';

/** One execution, as it was told. */
interface Told {
  readonly choices: readonly number[];
  readonly steps: readonly string[];
  readonly events: readonly string[];
  readonly end: string;
}

/** What the trials were like at first. */
export type Trials = readonly Told[];

const RANDOM_TRIALS = 6;
const TRIAL_SEED = 1;

/** Runs each of a few schedules twice. Throws: BadUserCode. */
export function checkOwnCode(plan: ScenarioPlan): Trials {
  const choosers = [roundRobin(), goOnWithSame];
  for (let trial = 0; trial < RANDOM_TRIALS; trial += 1) {
    choosers.push(atRandom(streamOf(TRIAL_SEED, trial)));
  }
  return choosers.map((chooser, trial) => {
    const first = tried(plan, (run) => runWith(() => run, chooser, stepsMaxOf(plan)));
    // Only where everybody has a turn does it say anything that somebody does not come to an end.
    if (trial === 0 && first.ended === 'too long') throw endless(plan, first);
    const told = { ...first.told, choices: first.steps.map(({ task }) => task) };
    compare(plan, told, again(plan, told));
    return told;
  });
}

/** Runs the same schedules once more: a module's own state may have changed since. Throws: BadUserCode. */
export function checkAgain(plan: ScenarioPlan, trials: Trials): void {
  for (const told of trials) compare(plan, told, again(plan, told));
}

/** The user's own files in a plan, with what each is. */
export function ownCodeOf({ choice, devices }: ScenarioPlan): { file: string; what: string }[] {
  const found = new Map<string, string>();
  for (const { file, id } of choice.patches) if (file !== undefined) found.set(file, `patch ${id}`);
  for (const { driver } of devices) {
    if (driver.file !== undefined) found.set(driver.file, `driver ${driver.id}`);
  }
  return [...found].map(([file, what]) => ({ file, what }));
}

/** The complaint that the same choices did not lead to the same steps. */
export function notDeterministic(plan: ScenarioPlan, difference: string): BadUserCode {
  const remedy = 'it may not look at clocks or chance, nor keep state outside newDevice()';
  return new BadUserCode(`${suspectOf(plan)} is not deterministic: ${difference}; ${remedy}`);
}

const SUSPECT_WORDS = [
  'Math.random',
  'Date.now',
  'Date',
  'performance.now',
  'process.hrtime',
  'crypto',
  'setTimeout',
] as const;

/** `mine.ts:7: driver mine (line 7 says Math.random)`, as far as that can be told. */
function suspectOf(plan: ScenarioPlan): string {
  const own = ownCodeOf(plan);
  for (const { file, what } of own) {
    for (const word of SUSPECT_WORDS) {
      const line = lineNaming(file, word);
      if (line !== 'unknown') return `${file}:${line}: ${what} (that line says ${word})`;
    }
  }
  return own.map(({ file, what }) => `${file}: ${what}`).join(', or ');
}

function again(plan: ScenarioPlan, { choices }: Told): Told {
  return tried(plan, (run) => replay(() => run, choices, stepsMaxOf(plan))).told;
}

function tried(
  plan: ScenarioPlan,
  execute: (run: ScenarioRun) => Omit<Replayed, 'diverged'>,
): Omit<Replayed, 'diverged'> & { readonly told: Told } {
  const run = newScenarioRun(plan);
  const replayed = execute(run);
  const told = {
    choices: [],
    steps: replayed.steps.map(({ actor, name, step }) => `${actor} ${name}, ${step.at}`),
    events: run.world.log.kept.map((event) => JSON.stringify(event)),
    end: replayed.failure === 'none' ? run.outcome() : describeFailure(replayed.failure),
  };
  return { ...replayed, told };
}

function compare(plan: ScenarioPlan, first: Told, second: Told): void {
  const step = firstDifference(first.steps, second.steps);
  if (step !== 'none') {
    const text = `step ${step.at + 1} was "${step.before}" and, with the same choices, "${step.now}"`;
    throw notDeterministic(plan, text);
  }
  const event = firstDifference(first.events, second.events);
  if (event !== 'none') {
    throw notDeterministic(plan, `the same steps led to ${event.before}, then to ${event.now}`);
  }
  if (first.end !== second.end) {
    throw notDeterministic(plan, `the same steps ended as "${first.end}", then as "${second.end}"`);
  }
}

function firstDifference(
  before: readonly string[],
  now: readonly string[],
): { readonly at: number; readonly before: string; readonly now: string } | 'none' {
  for (let at = 0; at < Math.max(before.length, now.length); at += 1) {
    const [left, right] = [before[at] ?? 'the end', now[at] ?? 'the end'];
    if (left !== right) return { at, before: left, now: right };
  }
  return 'none';
}

/** Everybody who is ready has a turn before anybody has another. */
function roundRobin(): Chooser {
  const turns = new Map<number, number>();
  let turn = 0;
  return (ready) => {
    let next = ready[0] as RunningTask;
    const turnOf = (task: RunningTask): number => turns.get(task.identity.id) ?? 0;
    for (const task of ready) if (turnOf(task) < turnOf(next)) next = task;
    turn += 1;
    turns.set(next.identity.id, turn);
    return next;
  };
}

function endless(plan: ScenarioPlan, { steps }: Pick<Replayed, 'steps'>): BadUserCode {
  const last = steps.slice(-Math.ceil(steps.length / 2));
  const counts = new Map<string, number>();
  for (const { actor, name } of last) {
    const who = `${name} of ${actor}`;
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  const who = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'somebody';
  const points = [...new Set(last.slice(-20).map(({ step }) => step.at))];
  const own = ownCodeOf(plan);
  const [place = 'unknown'] = own.flatMap(({ file }) =>
    points.flatMap((point) => {
      const line = lineNaming(file, point);
      return line === 'unknown' ? [] : [`${file}:${line}`];
    }),
  );
  const where = place === 'unknown' ? own.map(({ file }) => file).join(', ') : place;
  const what = own.map((one) => one.what).join(', ');
  const last4 = points.slice(0, 4).join(', ');
  return new BadUserCode(
    `${where}: ${what} never ends: ${who} has not come to its end after ${steps.length} steps ` +
      `in which everybody had turns, and goes on with ${last4}; end its loop, or raise bounds.steps of the scenario`,
  );
}
