/**
 * Tries a user's patch and drivers before they are explored, and again behind it: they must come to an end, and the
 * same choices must lead to the same steps, the same events and the same end.
 */
import type { Failure } from '../../explorer/failure.ts';
import { atRandom } from '../../explorer/measure.ts';
import { goOnWithSame, type Replayed, replay, roundRobin, runWith } from '../../explorer/replay.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { BadUserCode } from '../../scenario/bad-user-code.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { lineNaming } from '../../scenario/source-line.ts';
import { streamOf } from './random-stream.ts';

/** One execution. */
interface Trial {
  readonly choices: readonly number[];
  readonly steps: readonly string[];
  readonly events: readonly string[];
  readonly end: string;
}

/** What the trials were like at first. */
export type Trials = readonly Trial[];

const RANDOM_TRIALS = 6;
const TRIAL_SEED = 1;

/** Runs each of a few schedules twice. Throws: BadUserCode. */
export function checkOwnCode(plan: ScenarioPlan): Trials {
  const choosers = [roundRobin(), goOnWithSame];
  for (let trial = 0; trial < RANDOM_TRIALS; trial += 1) {
    choosers.push(atRandom(streamOf(TRIAL_SEED, trial)));
  }
  const trials = choosers.map((chooser) => {
    const first = tried(plan, (run) => runWith(() => run, chooser, stepsMaxOf(plan)));
    const trial = { ...first.trial, choices: first.steps.map(({ task }) => task) };
    compare(plan, trial, again(plan, trial));
    return { trial: trial, failure: first.failure };
  });
  // A crash that no schedule avoids says nothing about schedules. An assertion does.
  const crashes = trials.flatMap(({ failure }) =>
    failure !== 'none' && isError(failure) ? [failure] : [],
  );
  const [crash] = crashes;
  if (crash !== undefined && crashes.length === trials.length) {
    const who = ownCodeOf(plan).some(({ file }) => crash.text.includes(file));
    const files = ownCodeOf(plan).map(({ file, what }) => `${file}: ${what}`);
    const text = who ? crash.text : `${files.join(', or ')}: ${crash.text}`;
    throw new BadUserCode(`${text}; so it is in every schedule that was tried: mend it there`);
  }
  return trials.map(({ trial }) => trial);
}

function isError(failure: Failure): failure is Extract<Failure, { kind: 'crash' }> {
  return failure.kind === 'crash' && failure.how === 'error';
}

/** Runs the same schedules once more: a module's own state may have changed since. Throws: BadUserCode. */
export function checkAgain(plan: ScenarioPlan, trials: Trials): void {
  for (const trial of trials) compare(plan, trial, again(plan, trial));
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

/** `mine.ts:7: driver mine (line 7 says Math.random)`, as far as that is known. */
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

function again(plan: ScenarioPlan, { choices }: Trial): Trial {
  return tried(plan, (run) => replay(() => run, choices, stepsMaxOf(plan))).trial;
}

function tried(
  plan: ScenarioPlan,
  execute: (run: ScenarioRun) => Omit<Replayed, 'diverged'>,
): Omit<Replayed, 'diverged'> & { readonly trial: Trial } {
  const run = newScenarioRun(plan);
  const replayed = execute(run);
  const trial = {
    choices: [],
    steps: replayed.steps.map(({ actor, name, step }) => `${actor} ${name}, ${step.at}`),
    events: run.world.log.kept.map((event) => JSON.stringify(event)),
    end: replayed.failure === 'none' ? run.outcome() : describeFailure(replayed.failure),
  };
  return { ...replayed, trial: trial };
}

function compare(plan: ScenarioPlan, first: Trial, second: Trial): void {
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
