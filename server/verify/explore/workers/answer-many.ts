/** Answers many small questions in threads, each by the search that it asks for, with answers in their order. */
import type { ExploreRequest } from '../../../scenario/explore-request.ts';
import type { SearchData, SentVerdict } from './jobs.ts';
import { openSearchPool } from './search-pool.ts';
import { SharedSearch } from './shared-search.ts';

export interface AskedSearch {
  readonly asked: ExploreRequest;
  readonly search: SearchData;
}

/** Throws: BadInput for what the user gave. */
export async function answerMany(
  questions: readonly AskedSearch[],
  options: {
    readonly workers: number;
    readonly interrupted: AbortSignal;
    readonly onAnswer: (answers: number) => void;
  },
): Promise<readonly SentVerdict[]> {
  const shared = new SharedSearch();
  const pool = await openSearchPool({ threads: options.workers, shared });
  const stop = () => shared.stop();
  options.interrupted.addEventListener('abort', stop);
  const answers: SentVerdict[] = [];
  let [next, answered] = [0, 0];
  const work = async (slot: number): Promise<void> => {
    for (let at = next; at < questions.length; at = next) {
      next += 1;
      const { asked, search } = questions[at] as AskedSearch;
      answers[at] = await pool.run('answerWhole', { asked, search, slot });
      answered += 1;
      options.onAnswer(answered);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.workers }, (_, slot) => work(slot)));
    return answers;
  } finally {
    options.interrupted.removeEventListener('abort', stop);
    await pool.close();
  }
}
