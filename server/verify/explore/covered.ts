/** What a search has seen, whichever it was: what a verdict is made of. */

import type { LockOrderBreach } from './lock-order-watch.ts';
import type { Sampled } from './sampled.ts';

/** A schedule that fails. */
export interface Found {
  readonly choices: readonly number[];
  readonly failure: string;
}

export interface Covered {
  readonly ended: 'complete' | 'stopped' | 'counterexample';
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  readonly failures: number;
  /** Executions that were cut after the most steps that one may have. */
  readonly tooLong: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly found: Found | 'none';
  /** Locks that were taken in the wrong order on the way. */
  readonly lockOrder?: readonly LockOrderBreach[];
  /** Of a random search. */
  readonly sampled?: Sampled;
}
