/** Failures and outcomes in words. */
import type { Failure } from '../explorer/failure.ts';
import type { Outcome, Outcomes } from '../explorer/outcomes.ts';
import { hexAddress } from '../vocabulary/address.ts';
import { describeStuck } from './describe-stuck.ts';

/** One sentence, which begins with what was broken. */
export function describeFailure(failure: Failure): string {
  switch (failure.kind) {
    case 'violation':
      return `${failure.rule}: ${failure.text}`;
    case 'condition':
      return `${failure.how}: ${failure.condition}`;
    case 'stuck':
      return `OR5: ${describeStuck(failure)}`;
    case 'faults': {
      const counts = failure.faults.map(
        ({ actor, count }) => `${actor} has faulted ${count} times`,
      );
      return `OR5: livelock: ${counts.join(', ')} for one access to ${hexAddress(failure.page)}`;
    }
    case 'lock order':
      return `LK3: ${failure.actor} wants ${failure.wants} at ${failure.at} and holds ${failure.holds}`;
    case 'crash': {
      const what = failure.how === 'assertion' ? 'BUG' : 'crash';
      return `${what}: ${failure.text}, in ${failure.actor} (${failure.task})`;
    }
    case 'kernel bug':
      return `kernel BUG: ${failure.text}, in ${failure.actor} (${failure.task})`;
  }
}

/** The same where nothing may have failed. */
export function failureText(failure: Failure | 'none'): string | 'none' {
  return failure === 'none' ? failure : describeFailure(failure);
}

export function describeOutcome({ failure, state }: Pick<Outcome, 'failure' | 'state'>): string {
  return failure === 'none' ? state : describeFailure(failure);
}

/** In words, with the executions that came to each. */
export function countsByText(outcomes: Outcomes): { readonly [outcome: string]: number } {
  const counts: { [outcome: string]: number } = {};
  for (const outcome of outcomes.values()) {
    const text = describeOutcome(outcome);
    counts[text] = (counts[text] ?? 0) + outcome.executions;
  }
  return counts;
}
