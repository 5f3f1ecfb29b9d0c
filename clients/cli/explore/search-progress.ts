/** Tells how far a search is: on stderr for people, or as JSON objects on stdout for programs. */
import type { Progress } from '../../../server/explorer/search.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';
import { newProgress, writeAtOnce } from '../progress.ts';
import { estimateOf, estimateText } from './estimate.ts';

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
      const told = { type: 'progress', executions, steps, windowEntered, seconds };
      const line = JSON.stringify({ ...told, done: share, secondsLeft: left });
      writeAtOnce('stdout', `${line}\n`);
    },
    end: () => undefined,
  };
}
