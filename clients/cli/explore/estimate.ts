/** How long a search will still take, by its own measure of the search tree. */
import type { Progress } from '../../../server/explorer/search.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';

export interface Estimate {
  /** Of the search tree, or of the executions asked for; from 0 to 1. */
  readonly share: number;
  /** Until it is over or a budget ends it; 'unknown' while nothing can be said. */
  readonly secondsLeft: number | 'unknown';
  /** What comes first. */
  readonly endsBy: 'itself' | 'budget';
}

/**
 * Below this the share says nothing: it is measured along one branch, and was seen to fall from 0.4 to 0.3 % in a
 * search that ended soon after.
 */
export const SHARE_LEAST = 0.05;

export function estimateOf(
  { done, executions }: Progress,
  seconds: number,
  search: Pick<SearchData, 'budgetSeconds' | 'budgetExecutions'>,
): Estimate {
  const byTime = Math.max(0, search.budgetSeconds - seconds);
  const perExecution = executions === 0 ? 0 : seconds / executions;
  const byCount =
    executions === 0
      ? Number.POSITIVE_INFINITY
      : Math.max(0, (search.budgetExecutions - executions) * perExecution);
  const budgetLeft = Math.min(byTime, byCount);
  const whole = done < SHARE_LEAST ? Number.POSITIVE_INFINITY : (seconds * (1 - done)) / done;
  const secondsLeft = Math.min(whole, budgetLeft);
  return {
    share: done,
    secondsLeft: executions === 0 ? 'unknown' : secondsLeft,
    endsBy: whole <= budgetLeft ? 'itself' : 'budget',
  };
}

/** `12 % of the search tree, about 40 s left`. */
export function estimateText({ share, secondsLeft, endsBy }: Estimate): string {
  const done = share < SHARE_LEAST ? 'size unknown' : `${shareText(share)} of the search`;
  if (secondsLeft === 'unknown') return done;
  const until = endsBy === 'itself' ? 'left' : 'until the budget ends';
  return `${done}, about ${durationText(secondsLeft)} ${until}`;
}

export function shareText(share: number): string {
  if (share >= 0.1) return `${Math.floor(share * 100)} %`;
  return `${(share * 100).toPrecision(1)} %`;
}

export function durationText(seconds: number): string {
  if (seconds < 1) return 'a second';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
