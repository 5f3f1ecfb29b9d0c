/** What went wrong in an execution, as a value. Its words are made in server/report. */

import type { PageIndex } from '../vocabulary/address.ts';
import type { Stuck, Waiting } from './stuck.ts';

export type Failure =
  | Violation
  /** The scenario's own condition: feared ('forbidden'), or looked for ('reached'). */
  | {
      readonly kind: 'condition';
      readonly how: 'forbidden' | 'reached';
      readonly condition: string;
      /** Those whose registers or mirrors it looks at, as the condition calls them. */
      readonly actors: readonly string[];
    }
  /** OR5: the tasks that are left wait for ever. */
  | {
      readonly kind: 'stuck';
      readonly how: Stuck['kind'];
      readonly chain: readonly Waiting[];
      readonly cycle: string;
    }
  /** OR5: threads fault over and over. That may be bad luck: see livelock-cycle.ts. */
  | {
      readonly kind: 'faults';
      readonly faults: readonly { readonly actor: string; readonly count: number }[];
      /** Of the last one. */
      readonly page: PageIndex;
    }
  /** LK3: locks in the wrong order. */
  | {
      readonly kind: 'lock order';
      readonly actor: string;
      readonly wants: string;
      readonly at: string;
      readonly holds: string;
    }
  /** Code of a user's own has thrown: an assertion of its own (assertions.ts), or something else. */
  | {
      readonly kind: 'crash';
      readonly how: 'assertion' | 'error';
      readonly text: string;
      readonly actor: string;
      readonly task: string;
    }
  /** An impossible state, as with BUG(). */
  | {
      readonly kind: 'kernel bug';
      readonly rule: string;
      /** The rule in a sentence, and the facts. */
      readonly text: string;
      readonly actor: string;
      readonly task: string;
    };

/** An oracle has seen a rule broken, and says how. */
export interface Violation {
  readonly kind: 'violation';
  readonly rule: string;
  readonly text: string;
  /** Those that it is about. */
  readonly actors: readonly string[];
}

/** The same failure has the same key, in this process or another. */
export function failureKey(failure: Failure | 'none'): string {
  return failure === 'none' ? failure : JSON.stringify(failure);
}

export function isSameFailure(a: Failure | 'none', b: Failure | 'none'): boolean {
  return failureKey(a) === failureKey(b);
}

/** The rule that is broken; of a condition, which is the scenario's own, 'none'. */
export function ruleOf(failure: Failure): string | 'none' {
  switch (failure.kind) {
    case 'violation':
    case 'kernel bug':
      return failure.rule;
    case 'stuck':
    case 'faults':
      return 'OR5';
    case 'lock order':
      return 'LK3';
    case 'condition':
    case 'crash':
      return 'none';
  }
}

/**
 * What a failure is, without the particulars: two schedules show the same bug if their failures are of one kind.
 * `OR5: deadlock`, `OR1`, `kernel BUG: [FR1]`; a condition is its own kind.
 */
export function failureKind(failure: Failure): string {
  switch (failure.kind) {
    case 'stuck':
      return `OR5: ${failure.how}`;
    case 'faults':
      return 'OR5: livelock';
    case 'kernel bug':
      return `kernel BUG: [${failure.rule}]`;
    case 'condition':
      return `${failure.how}: ${failure.condition}`;
    case 'crash':
      return `crash: ${failure.text}`;
    default:
      return ruleOf(failure);
  }
}

/** Whether `now` shows the bug that `before` does. */
export function failsAlike(now: Failure | 'none', before: Failure | 'none'): boolean {
  if (now === 'none' || before === 'none') return now === before;
  return failureKind(now) === failureKind(before);
}

export function isLivelock(failure: Failure): boolean {
  return failure.kind === 'faults' || (failure.kind === 'stuck' && failure.how === 'livelock');
}

/** Those that a failure is about. */
export function actorsIn(failure: Failure): readonly string[] {
  switch (failure.kind) {
    case 'violation':
    case 'condition':
      return failure.actors;
    case 'stuck':
      return failure.chain.flatMap(({ actor, heldBy }) => [
        actor,
        ...heldBy.map((holder) => holder.actor),
      ]);
    case 'faults':
      return failure.faults.map(({ actor }) => actor);
    case 'lock order':
    case 'kernel bug':
    case 'crash':
      return [failure.actor];
  }
}
