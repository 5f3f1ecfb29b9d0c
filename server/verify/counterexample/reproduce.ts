/**
 * Executes a counterexample again, step by step, and compares the name of each step before it is taken: a schedule
 * that was cut from other code is refused where it first differs, and never shown as something that it is not.
 */

import type { Event } from '../../abi/event.ts';
import { type ExecutedStep, takeStep } from '../../explorer/execution.ts';
import type { Explored } from '../../explorer/explored.ts';
import type { Failure } from '../../explorer/failure.ts';
import type { World } from '../../machine/world.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { type Turn, turnOf } from '../../report/turn.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import { askedOnly, recordingOf } from '../answer/record-execution.ts';
import { type Counterexample, choicesOfSchedule } from './counterexample.ts';

/** A world that the schedule runs in: of a scenario, or of a moment of a live run. */
export interface ReproducedRun extends Explored {
  readonly world: World;
  /** Absent: every oracle. */
  readonly asks?: Pick<ScenarioPlan, 'oracles'>;
}

/** What the schedule came to. `events` are those of the schedule, `setup` what led to where it begins. */
export type Reproduced =
  | {
      readonly outcome: 'fails as promised';
      readonly failure: Failure;
      readonly setup: readonly Event[];
      readonly events: readonly Event[];
      /** Where it was decided, in the numbers of the events. */
      readonly turn: Turn;
      readonly steps: readonly ExecutedStep[];
      readonly run: ReproducedRun;
    }
  /** Every step is as it was, but not what comes of them. */
  | {
      readonly outcome: 'ends otherwise';
      /** 'none' if nothing fails any more. */
      readonly failure: Failure | 'none';
      readonly setup: readonly Event[];
      readonly events: readonly Event[];
      /** Where it was decided, in the numbers of the events. */
      readonly turn: Turn;
      readonly steps: readonly ExecutedStep[];
      readonly run: ReproducedRun;
    }
  | Divergence;

/** At `step` (from 1) the model does something else than the schedule says. */
export interface Divergence {
  readonly outcome: 'diverged';
  readonly step: number;
  readonly expected: string;
  readonly found: string;
}

/** `run` must be a fresh world of the counterexample's question. Throws what the world throws. */
export function reproduce(counterexample: Counterexample, run: ReproducedRun): Reproduced {
  const setup = run.world.log.kept.slice();
  const recording = recordingOf(run.world);
  const recorded = () => {
    const { events, stepOfEvent } =
      run.asks === undefined ? recording : askedOnly(recording, run.asks);
    return { setup, events, steps, run, turn: turnIn(counterexample, events, stepOfEvent) };
  };
  const choices = choicesOfSchedule(counterexample);
  const steps: ExecutedStep[] = [];
  for (const [depth, choice] of choices.entries()) {
    const at = counterexample.steps[depth] ?? '';
    const task = taskAt(run, choice, at);
    if ('found' in task) return { outcome: 'diverged', step: depth + 1, ...task };
    steps.push(takeStep(run, task));
    const failure = run.failure();
    if (failure === 'none') continue;
    if (depth + 1 === choices.length) return ended(counterexample, failure, recorded());
    const next = counterexample.steps[depth + 1] ?? '';
    return {
      outcome: 'diverged',
      step: depth + 2,
      expected: next,
      found: `the run has failed already: ${describeFailure(failure)}`,
    };
  }
  const idle = run.scheduler.readyTasks().length === 0;
  const failure = idle ? run.failureAtEnd(run.scheduler.blockedTasks()) : 'none';
  return ended(counterexample, failure, recorded());
}

function ended(
  { failure: promised }: Counterexample,
  failure: Failure | 'none',
  recorded: Pick<
    Extract<Reproduced, { run: unknown }>,
    'setup' | 'events' | 'steps' | 'run' | 'turn'
  >,
): Reproduced {
  if (failure !== 'none' && describeFailure(failure) === promised) {
    return { outcome: 'fails as promised', failure, ...recorded };
  }
  return { outcome: 'ends otherwise', failure, ...recorded };
}

function turnIn(
  { found: { pointOfNoReturn, safeSwap } }: Counterexample,
  events: readonly Event[],
  stepOfEvent: readonly number[],
): Turn {
  if (safeSwap === undefined) return turnOf(pointOfNoReturn, 'none', events, stepOfEvent);
  const [first, last, then, end] = safeSwap;
  const swapped = [
    { first, last },
    { first: then, last: end },
  ] as const;
  return turnOf(pointOfNoReturn, swapped, events, stepOfEvent);
}

function taskAt(
  run: ReproducedRun,
  id: number,
  at: string,
): RunningTask | Pick<Divergence, 'expected' | 'found'> {
  const ready = run.scheduler.readyTasks();
  const task = ready.find(({ identity }) => identity.id === id);
  if (task !== undefined) {
    return task.pending.at === at ? task : { expected: at, found: doing(task) };
  }
  const waiting = run.scheduler.blockedTasks().find(({ identity }) => identity.id === id);
  if (waiting !== undefined) return { expected: at, found: `${doing(waiting)}, where it waits` };
  const others = ready.map(doing).join(', ') || 'no task can go on';
  return { expected: at, found: `task ${id} is not there; ready: ${others}` };
}

/** `dmirror_fault.lock of reader0 (fault-read)` */
function doing({ identity, pending }: RunningTask): string {
  return `${pending.at} of ${identity.actor} (${identity.name})`;
}
