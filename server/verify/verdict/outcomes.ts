/**
 * What can come of a scenario at all, failures included: a search that does not stop at the first of them, nor looks
 * away behind it. A driver that has a race of its own would hide what the kernel does wrong later, or at another place.
 */

import type { ExecutedStep } from '../../explorer/execution.ts';
import { type Failure, failsAlike, failureKey, isSameFailure } from '../../explorer/failure.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import type { Outcome, Outcomes } from '../../explorer/outcomes.ts';
import { replay } from '../../explorer/replay.ts';
import type { Progress } from '../../explorer/search.ts';
import {
  type StateSearchOptions,
  type StateSearchResult,
  searchStates,
} from '../../explorer/search-states.ts';
import { simpler } from '../../explorer/shrink.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { isAsked, violationOf } from '../../scenario/watch-run.ts';
import type { Covered } from '../explore/covered.ts';
import { LockOrderWatch } from '../explore/lock-order-watch.ts';
import { ownCodeOf } from '../explore/own-code-check.ts';
import { untoldState } from '../explore/untold-state.ts';

const DRAWN_SEED = 1;
const FEW_SWITCHES_MAX = 1_000;

export interface OutcomeBudget {
  readonly executions: number;
  /** Seconds of `clock`. */
  readonly seconds: number;
  /** Milliseconds, moving forwards. */
  readonly clock: () => number;
  readonly onProgress: (progress: Progress) => void;
}

/** A failure at one place of the code, or an end. */
export interface OutcomeClass {
  readonly outcome: Pick<Outcome, 'failure' | 'state'>;
  /** The step at which it fails. */
  readonly at: string | 'the end';
  /** Executions that came to it, before anything else failed if that happens at all. */
  readonly executions: number;
  /** The simplest schedule seen that comes to it. */
  readonly choices: readonly number[];
  /** 'later': something else had failed before, in every execution that came to it. */
  readonly failed: 'first' | 'later';
}

export interface AllOutcomes {
  readonly covered: Covered;
  readonly classes: ReadonlyMap<string, OutcomeClass>;
  /** Else the budget ended first, or an execution was cut; there may be outcomes that are not listed. */
  readonly complete: boolean;
}

/** Throws what the world throws. */
export function outcomesOf(plan: ScenarioPlan, budget: OutcomeBudget): AllOutcomes {
  const watch = new LockOrderWatch();
  const { failures, result } = searchTwice(plan, watch, budget);
  const { counterexample, ...found } = result;
  const complete = found.ended === 'complete' && found.tooLong === 0;
  const classes = new Map(failures.found);
  for (const [key, { failure, state, executions }] of found.outcomes) {
    if (failure !== 'none') continue;
    const outcome = { failure, state };
    classes.set(key, { outcome, at: 'the end', executions, choices: [], failed: 'first' });
  }
  const covered: Covered = { ...found, found: counterexample, lockOrder: watch.found() };
  const holds = complete && counterexample === 'none';
  const shown = holds ? untoldBehind(plan, found.outcomes) : 'none';
  if (shown === 'none') return { covered, classes, complete };
  if ('kind' in shown) return { covered: { ...covered, untold: shown }, classes, complete: false };
  const { steps } = replay(() => newScenarioRun(plan), shown.choices, stepsMaxOf(plan));
  failures.failed(shown.failure, steps, 'at a step');
  for (const [key, one] of failures.found) classes.set(key, one);
  return { covered: { ...covered, found: shown }, classes, complete: false };
}

/** A user's own code may keep state that the search was not told of. */
function untoldBehind(plan: ScenarioPlan, outcomes: Outcomes): ReturnType<typeof untoldState> {
  if (ownCodeOf(plan).length === 0) return 'none';
  const options = { stepsMax: stepsMaxOf(plan), seed: DRAWN_SEED, outcomes };
  return untoldState(() => newScenarioRun(plan), options);
}

/** An execution ends where a state is known: if none has shown the window, it is looked for behind those. */
function searchTwice(plan: ScenarioPlan, watch: LockOrderWatch, budget: OutcomeBudget): Found {
  const until = budget.clock() + budget.seconds * 1000;
  const once = (window: Pick<StateSearchOptions, 'window'>): Found => {
    const failures = new FailureClasses(plan);
    const result = searchStates(
      watch.of(() => failures.newRun()),
      {
        ...window,
        stepsMax: stepsMaxOf(plan),
        counterexamples: 'all',
        onStep: (step, before) => failures.stepped(step, before),
        onFailure: (failure, steps, when) => failures.failed(failure, steps, when),
        goOn: (progress) => {
          budget.onProgress(progress);
          const spent = progress.executions >= budget.executions || budget.clock() > until;
          return spent ? 'stop' : 'go on';
        },
      },
    );
    return { failures, result };
  };
  const found = once({});
  const { windowEntered, ended } = found.result;
  if (windowEntered > 0 || ended !== 'complete') return found;
  return withFewSwitches(once({ window: 'apart' }), plan, budget);
}

/**
 * A window may name events in an order that makes no difference to them: then no reduced search need come to it, and a
 * few schedules that stop a task somewhere may.
 */
function withFewSwitches(found: Found, plan: ScenarioPlan, budget: OutcomeBudget): Found {
  const { result } = found;
  if (result.windowEntered > 0 || result.ended !== 'complete') return found;
  const left = Math.min(FEW_SWITCHES_MAX, budget.executions - result.executions);
  const few = tryFewSwitches(() => newScenarioRun(plan), stepsMaxOf(plan), left);
  return {
    ...found,
    result: {
      ...result,
      executions: result.executions + few.executions,
      steps: result.steps + few.steps,
      windowEntered: few.windowEntered,
    },
  };
}

interface Found {
  readonly failures: FailureClasses;
  readonly result: StateSearchResult;
}

/** Collects where executions fail, the first time and later. */
class FailureClasses {
  readonly found = new Map<string, OutcomeClass>();
  readonly #plan: ScenarioPlan;
  #run: ScenarioRun | 'none' = 'none';
  /** What oracles have reported, with the number of the step. */
  #reported: { readonly failure: Failure; readonly step: number }[] = [];

  constructor(plan: ScenarioPlan) {
    this.#plan = plan;
  }

  newRun(): ScenarioRun {
    const run = newScenarioRun(this.#plan);
    const reported: { readonly failure: Failure; readonly step: number }[] = [];
    const { log, scheduler } = run.world;
    log.listeners.push((event) => {
      if (event.kind !== 'violation' || !isAsked(this.#plan, event)) return;
      reported.push({ failure: violationOf(event), step: scheduler.steps });
    });
    this.#run = run;
    this.#reported = reported;
    return run;
  }

  stepped(step: ExecutedStep, before: readonly ExecutedStep[]): void {
    if (this.#reported.length === 0 || this.#run === 'none') return;
    const now = this.#run.world.scheduler.steps;
    const first = this.#run.failure();
    for (const { failure, step: at } of this.#reported) {
      if (at !== now || isSameFailure(failure, first)) continue;
      this.#note(failure, [...before, step], step.step.at, 'later');
    }
  }

  failed(failure: Failure, steps: readonly ExecutedStep[], when: 'at a step' | 'at the end'): void {
    const at = when === 'at the end' ? 'the end' : (steps.at(-1)?.step.at ?? 'the end');
    this.#note(failure, steps, at, 'first');
  }

  #note(
    failure: Failure,
    steps: readonly ExecutedStep[],
    at: string,
    failed: OutcomeClass['failed'],
  ): void {
    const key = `${failureKey(failure)} ${at}`;
    const known = this.found.get(key);
    const isNew = known === undefined || (known.failed === 'later' && failed === 'first');
    if (!isNew && failed === 'later') return;
    const choices = steps.map(({ task }) => task);
    this.found.set(key, {
      outcome: { failure, state: '' },
      at,
      // Those in which something else had failed before do not count beside those in which nothing had.
      executions: isNew ? 1 : known.executions + 1,
      choices: isNew || simpler(choices, known.choices) ? choices : known.choices,
      failed: known?.failed === 'first' ? 'first' : failed,
    });
  }
}

/** One outcome that only one of two kernels has. */
export interface OutcomeChange extends OutcomeClass {
  /** Executions in all. */
  readonly of: number;
  /** The other kernel can fail in the same words, but not there. */
  readonly elsewhere: boolean;
}

export interface OutcomeChanges {
  readonly appeared: readonly OutcomeChange[];
  readonly vanished: readonly OutcomeChange[];
  /** Else one of the two searches did not end, so what is missing may only not have been seen. */
  readonly complete: boolean;
}

/** Whether a failure of the kind of `failure` is among `outcomes`. */
export function failsLike({ classes }: AllOutcomes, failure: Failure): boolean {
  return [...classes.values()].some(({ outcome }) => failsAlike(outcome.failure, failure));
}

/** Failures first, then by how often. */
export function compareOutcomes(before: AllOutcomes, after: AllOutcomes): OutcomeChanges {
  const complete = before.complete && after.complete;
  return { appeared: onlyIn(after, before), vanished: onlyIn(before, after), complete };
}

function onlyIn(these: AllOutcomes, those: AllOutcomes): OutcomeChange[] {
  const inWords = new Set([...those.classes.values()].map(({ outcome }) => wordsOf(outcome)));
  const changes = new Map<string, OutcomeChange>();
  for (const [key, one] of these.classes) {
    if (those.classes.has(key)) continue;
    const words = wordsOf(one.outcome);
    const elsewhere = inWords.has(words);
    // Where it happens distinguishes two failures only if they are called the same on both sides.
    const name = elsewhere || one.failed === 'later' ? key : words;
    const before = changes.get(name);
    const executions = one.executions + (before?.executions ?? 0);
    changes.set(name, { ...(before ?? one), executions, of: these.covered.executions, elsewhere });
  }
  return [...changes.values()].sort((a, b) => rank(a) - rank(b) || b.executions - a.executions);
}

function wordsOf({ failure, state }: OutcomeClass['outcome']): string {
  return failure === 'none' ? state : failureKey(failure);
}

/** What fails first, and first what is shown best. */
function rank({ outcome, failed, elsewhere }: OutcomeChange): number {
  if (outcome.failure === 'none') return 3;
  if (failed === 'later') return 2;
  return elsewhere ? 1 : 0;
}
