/**
 * Where no task looks at the sequence of a subscription, it does not matter in which order brackets begin and end: the
 * sequence is dead, and they only count. That nobody looks is checked at every step of the search; if somebody does, or
 * subscribes or unsubscribes, the search is done in full. Up to the first who looks, the steps commute indeed, so none
 * who would look is missed.
 */
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, sequencesIn } from '../../scenario/scenario-world.ts';
import type { Touch } from '../../task/context.ts';
import { objectName } from '../../task/object-id.ts';

/** A patch may do anything with sequences that it makes itself. */
export function mayGoUnread(plan: ScenarioPlan): boolean {
  return sequencesIn(newScenarioRun(plan).world) === 'compared';
}

export class UnreadSequences {
  #read: 'by nobody' | 'by somebody' = 'by nobody';

  see({ touches }: ExecutedStep): void {
    if (touches.some(looks)) this.#read = 'by somebody';
  }

  get read(): 'by nobody' | 'by somebody' {
    return this.#read;
  }
}

/** Callbacks set sequences; brackets count. Whatever else is done there may depend on what a sequence is. */
function looks({ object, mode }: Touch): boolean {
  const { kind } = objectName(object);
  if (kind === 'interval_sub') return mode !== 'write';
  return kind === 'subscriptions' && mode !== 'add' && mode !== 'end';
}
