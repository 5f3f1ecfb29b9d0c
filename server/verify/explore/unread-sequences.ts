/**
 * Where no task looks at the sequence of a subscription, it does not matter in which order brackets begin and end: the
 * sequence is dead, and they only count. That is checked at every step of the search; if a task looks, subscribes or
 * unsubscribes, the search is done in full. Up to the first look the steps commute indeed, so none is missed.
 */
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { sequencesIn } from '../../scenario/scenario-world.ts';
import type { Touch } from '../../task/context.ts';
import { objectName } from '../../task/object-id.ts';

/** A patch may do anything with sequences that it makes itself. */
export function mayGoUnread(plan: ScenarioPlan): boolean {
  return sequencesIn(plan) === 'compared';
}

export class UnreadSequences {
  #state: 'unread' | 'read' = 'unread';

  see({ touches }: ExecutedStep): void {
    if (touches.some(looks)) this.#state = 'read';
  }

  /** What was seen elsewhere counts here, too. */
  join(state: 'unread' | 'read'): void {
    if (state === 'read') this.#state = 'read';
  }

  get state(): 'unread' | 'read' {
    return this.#state;
  }
}

/** Callbacks set sequences; brackets count. Whatever else is done there may depend on what a sequence is. */
function looks({ object, mode }: Touch): boolean {
  const { kind } = objectName(object);
  if (kind === 'interval_sub') return mode !== 'write';
  return kind === 'subscriptions' && mode !== 'add' && mode !== 'end';
}
