/**
 * What a reduction believes, tried: two steps of which an explorer says that they commute are taken in both orders.
 * The state behind them must be the same, and so must the end of the run. This also finds what a step has read
 * without saying so.
 */
import { independent } from '../../explorer/dependence.ts';
import { type ExecutedStep, takeStep } from '../../explorer/execution.ts';
import { namesInOrder, positionOf, sharedState } from '../../machine/shared-state.ts';
import { failureText } from '../../report/describe-failure.ts';
import type { ScenarioRun } from '../../scenario/scenario-world.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';

/** Two steps that are said to commute and do not, with what differs. */
export interface Clash {
  readonly steps: string;
  readonly difference: string;
}

type NewRun = () => ScenarioRun;

/** Tries every pair of tasks that are ready behind `prefix`. */
export function clashesBehind(
  newRun: NewRun,
  prefix: readonly number[],
  stepsMax: number,
): Clash[] {
  const ready = readyIds(behind(newRun, prefix));
  const clashes: Clash[] = [];
  for (const [at, first] of ready.entries()) {
    for (const second of ready.slice(at + 1)) {
      const clash = tryBothOrders(newRun, prefix, first, second, stepsMax);
      if (clash !== 'none') clashes.push(clash);
    }
  }
  return clashes;
}

function tryBothOrders(
  newRun: NewRun,
  prefix: readonly number[],
  first: number,
  second: number,
  stepsMax: number,
): Clash | 'none' {
  const there = takeTwo(newRun, prefix, first, second);
  const back = takeTwo(newRun, prefix, second, first);
  const [a, b] = [there.taken[0], back.taken[0]];
  if (a === undefined || b === undefined) return 'none';
  const [bAfter, aAfter] = [there.taken[1], back.taken[1]];
  const steps = `${a.actor} ${a.step.at} | ${b.actor} ${b.step.at}`;
  const commute = independent(a.touches, b.touches);
  if (bAfter === undefined || aAfter === undefined) {
    const difference = 'one cannot be taken behind the other';
    return commute ? { steps, difference } : 'none';
  }
  const inOneOrder =
    independent(a.touches, bAfter.touches) || independent(b.touches, aAfter.touches);
  if (!(commute || inOneOrder)) return 'none';
  const difference = differenceOf(there.run, back.run, stepsMax);
  return difference === 'none' ? 'none' : { steps, difference };
}

function takeTwo(newRun: NewRun, prefix: readonly number[], first: number, second: number) {
  const run = behind(newRun, prefix);
  const taken: ExecutedStep[] = [];
  for (const id of [first, second]) {
    const task = run.scheduler.readyTasks().find(({ identity }) => identity.id === id);
    if (task !== undefined) taken.push(takeStep(run, task));
  }
  return { run, taken };
}

function behind(newRun: NewRun, prefix: readonly number[]): ScenarioRun {
  const run = newRun();
  for (const id of prefix) {
    const task = run.scheduler.readyTasks().find(({ identity }) => identity.id === id);
    if (task !== undefined) run.scheduler.step(task);
  }
  return run;
}

function readyIds(run: ScenarioRun): number[] {
  return run.scheduler.readyTasks().map(({ identity }) => identity.id);
}

function differenceOf(there: ScenarioRun, back: ScenarioRun, stepsMax: number): string | 'none' {
  const [left, right] = [linesOf(there), linesOf(back)];
  const onlyLeft = left.filter((line) => !right.includes(line));
  const onlyRight = right.filter((line) => !left.includes(line));
  if (onlyLeft.length + onlyRight.length > 0) {
    return `${onlyLeft.join(' + ')} <> ${onlyRight.join(' + ')}`;
  }
  const [one, other] = [endOf(there, stepsMax), endOf(back, stepsMax)];
  return one === other ? 'none' : `ends as ${one} <> ${other}`;
}

/** The state and where each task stands, in words that do not depend on the order of allocation. */
function linesOf(run: ScenarioRun): string[] {
  const names = namesInOrder();
  const states = [...sharedState(run.world, names)].map(({ name, state }) => `${name}: ${state}`);
  const { scheduler } = run;
  const tasks = [...scheduler.readyTasks(), ...scheduler.blockedTasks()];
  const failure = withoutNumbers(failureText(run.failure()));
  return [...states, ...tasks.map((task) => positionOf(task, names)), failure].sort();
}

/** Goes on without needless switches, in an order that does not depend on the numbers of tasks. */
function endOf(run: ScenarioRun, stepsMax: number): string {
  const { scheduler } = run;
  let previous = '';
  for (let taken = 0; taken < stepsMax && run.failure() === 'none'; taken += 1) {
    const ready = scheduler.readyTasks().sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const task = ready.find((one) => keyOf(one) === previous) ?? ready[0];
    if (task === undefined) break;
    previous = keyOf(task);
    scheduler.step(task);
  }
  const failure = run.failure();
  if (failure !== 'none') return withoutNumbers(failureText(failure));
  const stuck = run.failureAtEnd(scheduler.blockedTasks());
  return stuck === 'none' ? run.outcome() : withoutNumbers(failureText(stuck));
}

function keyOf({ identity }: RunningTask): string {
  return `${identity.actor} ${identity.name}`;
}

/** Which frame it was depends on who came first. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/0x[0-9a-f]+/g, '0x');
}
