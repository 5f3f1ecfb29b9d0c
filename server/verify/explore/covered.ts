/** What a search has seen, whichever it was: what a verdict is made of. */

import type { Failure } from '../../explorer/failure.ts';
import type { Outcomes } from '../../explorer/outcomes.ts';
import type { Sampled, Searched } from '../../report/bound.ts';
import type { UntoldState } from '../../report/untold-state.ts';
import type { LockOrderBreach } from './lock-order-watch.ts';

/** A schedule that fails. */
export interface FoundFailure {
  readonly choices: readonly number[];
  readonly failure: Failure;
}

export interface Covered {
  readonly ended: 'complete' | 'stopped' | 'counterexample';
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  readonly failures: number;
  /** Executions that were cut after the most steps that one may have. */
  readonly tooLong: number;
  readonly outcomes: Outcomes;
  readonly found: FoundFailure | 'none';
  /** Locks that were taken in the wrong order on the way. */
  readonly lockOrder?: readonly LockOrderBreach[];
  /** Own code was seen to keep state that the search was not told of. */
  readonly untold?: UntoldState;
  /** Of a search over states that could not remember all of them. */
  readonly remembered?: NonNullable<Searched['remembered']>;
  /** Of a random search. */
  readonly sampled?: Sampled;
}
