/**
 * What repeats in a livelock. That threads have faulted often, each while another stood still, proves nothing: they may
 * have been unlucky. It is a livelock if some state comes again although every task that could go on did so in between:
 * then a fair scheduler can go round for ever. Such a round is looked for behind each step of a run, and is executed a
 * few times more.
 *
 * Leaves out: what tasks count for themselves. A driver that gives up after so many collisions comes back to the same
 * state, too, until it does; so a round that ends by itself after a few is not a cycle. Rounds in which a task goes
 * more than once through its loop.
 */
import type { ExecutedStep } from '../../explorer/execution.ts';
import { FAIR_TURN } from '../../scenario/fair-faults.ts';
import type { RoundStep } from '../../scenario/repeated-rounds.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun } from '../../scenario/scenario-world.ts';
import { stateKey } from '../../scenario/state-key.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import type { TaskIdentity } from '../../task/context.ts';

/** One round of a livelock. */
export interface Cycle {
  /** The step of the counterexample behind which it begins. */
  readonly behind: number;
  readonly steps: readonly RoundStep[];
  /** How often it was executed, each time with the same state behind it as before. */
  readonly rounds: number;
  readonly fairness: string;
}

/** Of a loop of user code between two steps. */
export const NO_TURN_FOR_OTHERS = 'no other task can run meanwhile';
export const FAIRNESS = 'every task that could go on took a step in each round';
const ROUNDS = 4;
/** Steps of one task in one round. */
const LOOP_STEPS_MAX = 200;
/** No task is made to wait for others, however often it faults. */
const FAULTS_WITHOUT_END = 1_000_000;

/** `steps` are those of a run in which threads fault over and over. 'none': no fair round was found. */
export function cycleOf(plan: ScenarioPlan, steps: readonly ExecutedStep[]): Cycle | 'none' {
  const patient = { ...plan, faultsMax: FAULTS_WITHOUT_END };
  const prefix: number[] = [];
  for (const [at, { task, step }] of steps.entries()) {
    if (step.at === FAIR_TURN) continue;
    prefix.push(task);
    const ready = behind(patient, prefix).scheduler.readyTasks();
    for (const order of [ready, ready.toReversed()]) {
      const ids = order.map(({ identity }) => identity.id);
      const round = roundBehind(behind(patient, prefix), ids);
      if (round === 'none') continue;
      return { behind: at + 1, steps: round, rounds: ROUNDS, fairness: FAIRNESS };
    }
  }
  return 'none';
}

function behind(plan: ScenarioPlan, prefix: readonly number[]): ScenarioRun {
  const run = newScenarioRun(plan);
  for (const id of prefix) {
    const task = run.scheduler.readyTasks().find(({ identity }) => identity.id === id);
    if (task !== undefined) run.scheduler.step(task);
  }
  return run;
}

/** Each task in turn goes on until it stands where it stood; then everything must be as it was, again and again. */
function roundBehind(run: ScenarioRun, order: readonly number[]): RoundStep[] | 'none' {
  if (order.length === 0) return 'none';
  const key = stateKey(run.world);
  let steps: RoundStep[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const taken = oneRound(run, order);
    if (taken === 'none' || stateKey(run.world) !== key) return 'none';
    steps = taken;
  }
  return steps;
}

function oneRound(run: ScenarioRun, order: readonly number[]): RoundStep[] | 'none' {
  const steps: RoundStep[] = [];
  const went = new Set<number>();
  const couldGo = new Set<number>();
  for (const id of order) {
    const ready = run.scheduler.readyTasks();
    const anchor = ready.find(({ identity }) => identity.id === id)?.pending.at;
    if (anchor === undefined) return 'none';
    let isBack = false;
    for (let count = 0; count < LOOP_STEPS_MAX && !isBack; count += 1) {
      const able = run.scheduler.readyTasks();
      for (const { identity } of able) couldGo.add(identity.id);
      const task = able.find(({ identity }) => runsFor(identity, id));
      if (task === undefined) return 'none';
      const { actor, name } = task.identity;
      steps.push({ actor, task: name, at: task.pending.at });
      went.add(task.identity.id);
      run.scheduler.step(task);
      isBack = task.identity.id === id && standsAt(task, anchor);
    }
    if (!isBack) return 'none';
  }
  for (const { identity } of run.scheduler.readyTasks()) couldGo.add(identity.id);
  return [...couldGo].every((id) => went.has(id)) ? steps : 'none';
}

function standsAt(task: RunningTask, anchor: string): boolean {
  return task.state !== 'done' && task.pending.at === anchor;
}

/** The task itself, or one that it has started. */
function runsFor(identity: TaskIdentity, id: number): boolean {
  let task: TaskIdentity | 'none' = identity;
  while (task !== 'none' && task.id !== id) task = task.parent;
  return task !== 'none';
}
