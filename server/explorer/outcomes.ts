/** What executions can come to, and how many came to each. */
import { type Failure, failureKey } from './failure.ts';

export interface Outcome {
  readonly failure: Failure | 'none';
  /** How it ended, if nothing failed. */
  readonly state: string;
  readonly executions: number;
}

/** In the order in which they were first seen; the key is a name without further meaning. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export function countOutcome(
  outcomes: Map<string, Outcome>,
  failure: Failure | 'none',
  state: () => string,
  executions = 1,
): void {
  const ended = failure === 'none' ? state() : '';
  const key = failure === 'none' ? ended : failureKey(failure);
  const before = outcomes.get(key)?.executions ?? 0;
  outcomes.set(key, { failure, state: ended, executions: before + executions });
}
