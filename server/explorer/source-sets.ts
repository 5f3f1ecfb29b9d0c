/**
 * Which task to try at an earlier decision so that two steps that raced come in the other order.
 *
 * Source: Abdulla, Aronis, Jonsson, Sagonas, POPL 2014.
 */
import { knows, type Race, type TimedStep, type Timeline } from './clocks.ts';

/** One decision of an execution, as far as races change it. */
export interface Decision {
  readonly enabled: readonly number[];
  /** Tasks to try here. */
  readonly backtrack: Set<number>;
}

/** Source sets: unless a task that could begin the reversed order is tried at the earlier step anyway, try one. */
export function reverse(stack: readonly Decision[], timeline: Timeline, race: Race): void {
  const node = stack[race.earlier - 1];
  const earlier = timeline.steps[race.earlier - 1];
  if (node === undefined || earlier === undefined) return;
  const reversed = timeline.steps
    .slice(race.earlier, race.later)
    .filter(
      (step) => step.event === race.later || knows(step.clock, earlier.index) < earlier.event,
    );
  const initials = initialsOf(reversed).filter((task) => node.enabled.includes(task));
  if (initials.length === 0) return;
  if (initials.some((task) => node.backtrack.has(task))) return;
  const later = timeline.steps[race.later - 1]?.task;
  node.backtrack.add(
    later !== undefined && initials.includes(later) ? later : (initials[0] as number),
  );
}

/** Tasks whose first step in `steps` comes after none of the others. */
function initialsOf(steps: readonly TimedStep[]): number[] {
  const first = new Map<number, TimedStep>();
  for (const step of steps) if (!first.has(step.task)) first.set(step.task, step);
  return [...first.values()]
    .filter((step) =>
      steps.every(
        (other) =>
          other.event >= step.event ||
          other.task === step.task ||
          knows(step.clock, other.index) < other.event,
      ),
    )
    .map((step) => step.task);
}
