/**
 * Runs that switch where the mistake is: just before and behind the line that has it, and wherever another task touches
 * what that line touches. A mistake that needs a race at all shows in one of these more often than in the first
 * executions of a search, which begins at the end.
 */
import type { ExecutedStep } from '../explorer/execution.ts';
import type { NewExplored } from '../explorer/explored.ts';
import { type Failure, isLivelock } from '../explorer/failure.ts';
import { type Chooser, roundRobin, runWith } from '../explorer/replay.ts';
import type { ObjectId } from '../task/object-id.ts';
import { BEFORE, BEHIND, subjectOf } from './contested-steps.ts';

/** Switches in one order of the actors. */
const SWITCHES_MAX = 10;
/** As many, where the line has not run. */
const SPREAD = 6;
/** Of the places where the line runs, in one execution: it may be in a loop. */
const TIMES_MAX = 3;
/** Steps from the one that runs the line to those at which it is worth switching, the nearest first. */
const NEAR = [0, 1, 2, -1, 3, 4, -2, 5];

interface Run {
  readonly failure: Failure | 'none';
  readonly steps: readonly ExecutedStep[];
  /** Steps in which the line has run. */
  readonly times: readonly number[];
}

/** What goes wrong first, or 'none'. `count` says how often the line has run since the process began. */
export function runAtLine(
  newRun: NewExplored,
  stepsMax: number,
  count: () => number,
): Failure | 'none' {
  const bases = [forward, backward].map((order) => ({
    order,
    run: watchedRun(newRun, stepsMax, switchingAt(order, []), count),
  }));
  for (const { run } of bases) if (isWrong(run.failure)) return run.failure;
  // It may run only where one actor is in the midst of what it does.
  const amid = bases.some(({ run }) => run.times.length > 0)
    ? []
    : [watchedRun(newRun, stepsMax, roundRobin(), count)];
  for (const { failure } of amid) if (isWrong(failure)) return failure;
  const objects = new Set([...bases.map(({ run }) => run), ...amid].flatMap(objectsOf));
  for (const { order, run } of bases) {
    for (const at of switchesOf(run, objects)) {
      const { failure } = runWith(newRun, switchingAt(order, [at]), stepsMax);
      if (isWrong(failure)) return failure;
    }
  }
  return 'none';
}

function isWrong(failure: Failure | 'none'): failure is Failure {
  return failure !== 'none' && !isLivelock(failure);
}

type Order = <T>(ready: readonly T[]) => T;

const forward: Order = (ready) => ready[0] as never;
const backward: Order = (ready) => ready.at(-1) as never;

/** A task goes on until it must wait; at these depths the one that would run goes behind all others. */
function switchingAt(order: Order, depths: readonly number[]): Chooser {
  const last = new Set<number>();
  const pick: Chooser = (ready, previous) => {
    const first = ready.filter(({ identity }) => !last.has(identity.id));
    const among = first.length > 0 ? first : ready;
    return among.find(({ identity }) => identity.id === previous) ?? order(among);
  };
  return (ready, previous, depth) => {
    if (depths.includes(depth)) last.add(pick(ready, previous, depth).identity.id);
    return pick(ready, previous, depth);
  };
}

function watchedRun(
  newRun: NewExplored,
  stepsMax: number,
  chooser: Chooser,
  count: () => number,
): Run {
  const times: number[] = [];
  let before = -1;
  const watch = (depth: number): void => {
    // What ran before the first step was the setup.
    if (before >= 0 && count() > before) times.push(depth - 1);
    before = count();
  };
  const watching: Chooser = (ready, previous, depth) => {
    watch(depth);
    return chooser(ready, previous, depth);
  };
  const { failure, steps } = runWith(newRun, watching, stepsMax);
  watch(steps.length);
  return { failure, steps, times: times.slice(0, TIMES_MAX) };
}

function objectsOf({ steps, times }: Run): ObjectId[] {
  return times.flatMap((time) =>
    steps
      .slice(Math.max(0, time - BEFORE), time + BEHIND + 1)
      .flatMap(({ touches }) => touches)
      .map(subjectOf)
      .filter((object) => object !== 'none'),
  );
}

/** Depths: near the line, and around what touches the same where the line has not run yet. */
function switchesOf({ steps, times }: Run, objects: ReadonlySet<ObjectId>): number[] {
  const near = NEAR.flatMap((distance) => times.map((time) => time + distance));
  const around = steps.flatMap(({ touches }, depth) =>
    touches.some((touch) => objects.has(subjectOf(touch) as ObjectId)) ? [depth + 1, depth] : [],
  );
  // Where nobody has come there, somebody may who runs in the midst of what another does.
  const spread = Array.from({ length: SPREAD }, (_, at) =>
    Math.round(((at + 1) * steps.length) / (SPREAD + 1)),
  );
  const depths = objects.size === 0 ? spread : [...alternately(near, around)];
  const inside = depths.filter((at) => at > 0 && at < steps.length);
  return [...new Set(inside)].slice(0, SWITCHES_MAX);
}

function* alternately<T>(a: readonly T[], b: readonly T[]): Iterable<T> {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    yield* a.slice(at, at + 1);
    yield* b.slice(at, at + 1);
  }
}
