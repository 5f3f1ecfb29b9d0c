/** Answers a question: in this thread where that is enough, else in threads of its own. */
import type { Progress } from '../../../server/explorer/search.ts';
import {
  type ExploreRequest,
  planOf,
  usesOwnCode,
} from '../../../server/scenario/explore-request.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import type { ScenarioVerdict } from '../../../server/verify/explore/explore-scenario.ts';
import { exploreScenario } from '../../../server/verify/explore/explore-scenario.ts';
import { interruptedVerdict } from '../../../server/verify/explore/interrupted-verdict.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';
import { interruptible } from '../interruptible.ts';

export interface Answered {
  readonly verdict: ScenarioVerdict;
  readonly ended: 'by itself' | 'interrupted';
  /** The last progress that was shown. */
  readonly progress: Progress;
}

export interface AnswerOptions {
  readonly workers: number;
  readonly onProgress: (progress: Progress) => void;
}

const NOTHING_YET: Progress = { executions: 0, steps: 0, windowEntered: 0, done: 0 };

/** Throws: BadInput. A user's own code runs in a thread, where it can be ended whatever it does. */
export async function answerTo(
  asked: ExploreRequest,
  search: SearchData,
  options: AnswerOptions,
): Promise<Answered> {
  if (options.workers > 1 || usesOwnCode(asked)) {
    return await answerInThreads(asked, search, options);
  }
  return answerHere(await planOf(asked), search, options.onProgress);
}

/** Ctrl-C ends it with what is known by then. */
function answerHere(
  plan: ScenarioPlan,
  search: SearchData,
  onProgress: (progress: Progress) => void,
): Answered {
  let progress = NOTHING_YET;
  const clock = () => performance.now();
  const began = clock();
  const verdict = interruptible(() =>
    exploreScenario(plan, {
      ...search,
      clock,
      onProgress: (now) => {
        progress = now;
        onProgress(now);
      },
    }),
  );
  if (verdict !== 'interrupted') return { verdict, ended: 'by itself', progress };
  const seconds = (clock() - began) / 1_000;
  const { strategy } = search;
  const known = interruptedVerdict(plan, progress, { strategy, seconds });
  return { verdict: known, ended: 'interrupted', progress };
}

async function answerInThreads(
  asked: ExploreRequest,
  search: SearchData,
  { workers, onProgress }: AnswerOptions,
): Promise<Answered> {
  // Threads cost a few modules that most searches do without.
  const { exploreInThreads } = await import(
    '../../../server/verify/explore/workers/explore-in-threads.ts'
  );
  let progress = NOTHING_YET;
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  try {
    const verdict = await exploreInThreads(asked, search, {
      workers,
      interrupted: interruption.signal,
      onProgress: (now) => {
        progress = now;
        onProgress(now);
      },
    });
    const stopped = interruption.signal.aborted && verdict.verdict === 'unknown';
    return { verdict, ended: stopped ? 'interrupted' : 'by itself', progress };
  } finally {
    process.off('SIGINT', interrupt);
  }
}
