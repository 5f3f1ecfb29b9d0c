/** How to search, and how far. */
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { SampleStrategy } from '../../explorer/sample.ts';
import type { Progress } from '../../explorer/search.ts';
import type { Symmetry } from '../../explorer/symmetry.ts';
import type { AlongFound, AlongSearch, SearchedWorlds } from './along.ts';

/** The threads, for the worlds of one question. */
export interface AlongWorlds {
  begin(window: Pick<SearchedWorlds, 'window'>): AlongSearch;
  /** What was seen of steps until now does not count: the search begins again, in this thread alone. */
  again(): void;
  /** What the others have seen of steps counts, too. */
  join(found: readonly AlongFound[]): void;
}

/** Some millions of states. */
export const STATES_BYTES_MAX = 2 ** 30;

export type Strategy = 'dpor' | 'dfs' | SampleStrategy;

export interface ExploreOptions {
  readonly strategy: Strategy;
  readonly budgetExecutions: number;
  /** Seconds of `clock`. */
  readonly budgetSeconds: number;
  /** Of one execution. */
  readonly stepsMax: number;
  readonly seed: number;
  /** Ordering constraints that PCT looks for. */
  readonly depth: number;
  /** Switches away from a task that could go on, in one execution. Absent: as many as there may be. */
  readonly preemptionsMax?: number;
  /** Random strategies: executions that an earlier search has had; absent: none. */
  readonly skipExecutions?: number;
  /** Milliseconds, moving forwards. */
  readonly clock: () => number;
  /** Asked between executions, beside the budgets: 'stop' when the asker has had enough. Once it does, it stays. */
  readonly goOn?: () => 'go on' | 'stop';
  readonly onProgress: (progress: Progress) => void;
  /** Called for each new step of an exhaustive search. */
  readonly onStep?: (step: ExecutedStep) => void;
  /** Actors that can change places without anybody noticing. */
  readonly symmetry?: Symmetry;
  /** 'judged': programs go round until others have come far enough; a search asks whether they may do so for ever. */
  readonly circles?: 'judged';
  /** Whether steps tell of all that they touch: code of a user may not. Absent: they do. */
  readonly footprints?: 'checked';
  /** Threads that search along: see Along. Absent: none. */
  readonly along?: AlongWorlds;
  /** What each thread remembers of states takes so many bytes at most. Absent: STATES_BYTES_MAX. */
  readonly statesBytesMax?: number;
  /** Of an exhaustive search. 'first', which is the default: it ends with the first. */
  readonly counterexamples?: 'first' | 'all';
}
