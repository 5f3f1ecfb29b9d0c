/** Shows how far a search is: on stderr for people, or as JSON objects on stdout for programs. */
import type { Progress } from '../../../server/explorer/search.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';
import { newProgress, writeAtOnce } from '../progress.ts';
import { estimateOf, estimateText, shareText } from './estimate.ts';

const JSON_EVERY_MS = 1_000;

export interface SearchProgress {
  at(progress: Progress): void;
  end(): void;
}

export function newSearchProgress(search: SearchData, form: 'text' | 'jsonl'): SearchProgress {
  return form === 'text' ? onTerminal(search) : asJson(search);
}

function onTerminal(search: SearchData): SearchProgress {
  const began = performance.now();
  const line = newProgress('executions');
  return {
    at(progress) {
      const estimate = estimateOf(progress, (performance.now() - began) / 1_000, search);
      line.at(progress.executions, estimateText(estimate));
    },
    end: () => line.end(),
  };
}

export interface ProgressOfMany {
  /** How far the search is that is under way, and what it is about. */
  at(progress: Progress, about: string): void;
  /** It has ended. */
  searched(): void;
  end(): void;
}

/** Of `searches` that run one after the other: `1234 executions, seed-zero-page, search 3 of 8, 30 % of all`. */
export function newProgressOfMany(searches: number): ProgressOfMany {
  const line = newProgress('executions');
  let over = 0;
  let before = 0;
  let now = 0;
  return {
    at({ executions, done }, about) {
      now = executions;
      const share = shareText((over + Math.min(1, done)) / searches);
      line.at(before + now, `${about}, search ${over + 1} of ${searches}, ${share} of all`);
    },
    searched() {
      over += 1;
      before += now;
      now = 0;
    },
    end: () => line.end(),
  };
}

/** The first object comes with the first execution, so that a reader knows at once what it reads. */
function asJson(search: SearchData): SearchProgress {
  const began = performance.now();
  let next = began;
  return {
    at(progress) {
      const now = performance.now();
      if (now < next) return;
      next = now + JSON_EVERY_MS;
      const seconds = (now - began) / 1_000;
      const { share, secondsLeft } = estimateOf(progress, seconds, search);
      const { executions, steps, windowEntered } = progress;
      const left = secondsLeft === 'unknown' ? null : secondsLeft;
      const measured = { executions, steps, windowEntered, seconds };
      const line = JSON.stringify({
        type: 'progress',
        ...measured,
        done: share,
        secondsLeft: left,
      });
      writeAtOnce('stdout', `${line}\n`);
    },
    end: () => undefined,
  };
}
