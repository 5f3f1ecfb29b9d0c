/**
 * Searches in threads. A random search is cut into parts that any of them may run, and the first failing execution
 * counts, whichever thread finds it and when: the same seed gives the same answer with any number of threads. An
 * exhaustive search is done by all of them at once, each of which tells the others what it has covered.
 */
import { MessageChannel } from 'node:worker_threads';
import { isSameFailure } from '../../../explorer/failure.ts';
import { replay } from '../../../explorer/replay.ts';
import type { SampleStrategy } from '../../../explorer/sample.ts';
import type { Progress } from '../../../explorer/search.ts';
import { failureText } from '../../../report/describe-failure.ts';
import { type ExploreRequest, planOf, usesOwnCode } from '../../../scenario/explore-request.ts';
import { planScenario } from '../../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../../scenario/scenario-world.ts';
import { KernelBug } from '../../../vocabulary/invariant.ts';
import type { Covered } from '../covered.ts';
import type { ScenarioVerdict } from '../explore-scenario.ts';
import { notDeterministic } from '../own-code-check.ts';
import { coveredBy, type PartResult, partNumber, partsOf } from '../sampled-parts.ts';
import type { SearchData, SentVerdict } from './jobs.ts';
import { openSearchPool, type SearchPool } from './search-pool.ts';
import { SharedSearch } from './shared-search.ts';

export interface ThreadOptions {
  readonly workers: number;
  readonly onProgress: (progress: Progress) => void;
  /** Ends the search early, with what it has seen. */
  readonly interrupted: AbortSignal;
  readonly stuckAfterMs?: number;
}

const PROGRESS_EVERY_MS = 50;

/** Throws: BadInput for what the user gave, also where a user's own code does not come to an end. */
export async function exploreInThreads(
  asked: ExploreRequest,
  search: SearchData,
  options: ThreadOptions,
): Promise<ScenarioVerdict> {
  const shared = new SharedSearch();
  const { workers, stuckAfterMs } = options;
  const pool = await openSearchPool({
    threads: workers,
    shared,
    ...(stuckAfterMs === undefined ? {} : { stuckAfterMs }),
  });
  const stop = () => shared.stop();
  options.interrupted.addEventListener('abort', stop);
  try {
    const threads: Threads = { pool, shared, asked, search, options };
    const { strategy } = search;
    const answer =
      strategy === 'dpor' || strategy === 'dfs'
        ? await searched(threads)
        : await concluded(threads, await sampled(threads, strategy));
    return await received(asked, answer);
  } finally {
    options.interrupted.removeEventListener('abort', stop);
    await pool.close();
  }
}

interface Threads {
  readonly pool: SearchPool;
  readonly shared: SharedSearch;
  readonly asked: ExploreRequest;
  readonly search: SearchData;
  readonly options: ThreadOptions;
}

/** What was covered, and how long it took. */
interface Sampling {
  readonly covered: Covered;
  readonly seconds: number;
}

/** Runs parts in all threads. */
async function sampled(
  { pool, shared, asked, search, options }: Threads,
  strategy: SampleStrategy,
): Promise<Sampling> {
  const began = performance.now();
  const until = began + search.budgetSeconds * 1_000;
  const measured = await pool.run('measurePlan', { asked, search, slot: 0 });
  const parts = partsOf(search.budgetExecutions);
  const results: PartResult[] = [];
  let next = 0;
  let [executions, steps, windowEntered] = [0, 0, 0];
  let failing = Number.POSITIVE_INFINITY;
  const run = async (at: number): Promise<void> => {
    while (next < Math.min(parts, failing) && performance.now() < until) {
      const number = next;
      const part = partNumber(number, search.budgetExecutions, search.skipExecutions);
      if (shared.goOn() === 'stop') return;
      next += 1;
      const result = await pool.run('samplePart', {
        asked,
        search,
        slot: at,
        strategy,
        part,
        measured,
      });
      results[number] = result;
      if (result.found !== 'none') failing = Math.min(failing, number);
      executions += result.executions;
      steps += result.steps;
      windowEntered += result.windowEntered;
      const done = executions / search.budgetExecutions;
      options.onProgress({ executions, steps, windowEntered, done });
    }
  };
  await Promise.all(Array.from({ length: options.workers }, (_, thread) => run(thread)));
  const ended = options.interrupted.aborted ? 'stopped' : 'complete';
  const covered = coveredBy(results, measured, { ...search, strategy }, ended);
  return { covered, seconds: (performance.now() - began) / 1_000 };
}

async function concluded(
  { pool, asked, search }: Threads,
  { covered, seconds }: Sampling,
): Promise<SentVerdict> {
  return await pool.run('concludeCovered', { asked, search, slot: 0, covered, seconds });
}

/** The exhaustive search. Each of the threads could do it alone; they tell each other what they have covered. */
async function searched({ pool, shared, asked, search, options }: Threads): Promise<SentVerdict> {
  const timer = setInterval(() => options.onProgress(shared.progress()), PROGRESS_EVERY_MS);
  const channels = Array.from({ length: options.workers - 1 }, () => new MessageChannel());
  const along = channels.map(({ port1 }) => port1);
  try {
    const job = { asked, search, slot: 0, ...(along.length === 0 ? {} : { along }) };
    const whole = pool.run('answerWhole', job, along);
    const beside = channels.map(({ port2: port }, at) =>
      pool.run('searchAlong', { asked, search, slot: at + 1, port }, [port]),
    );
    // They end with it, unless something is wrong.
    const wrong = beside.map((one) => one.then(() => whole));
    return await Promise.race([whole, ...wrong]);
  } finally {
    clearInterval(timer);
  }
}

/** Makes the plan again, and executes the counterexample here: what is shown has happened twice. */
export async function received(
  asked: ExploreRequest,
  answer: SentVerdict,
): Promise<ScenarioVerdict> {
  const { scenario, parameters, ...verdict } = answer;
  const { choice } = await planOf(asked);
  const plan = planScenario(scenario, { ...choice, parameters });
  const { counterexample } = verdict;
  if (counterexample === 'none') return { ...verdict, plan };
  const run = replay(() => newScenarioRun(plan), counterexample.choices, stepsMaxOf(plan));
  if (!isSameFailure(run.failure, counterexample.failure)) {
    const facts = {
      found: failureText(counterexample.failure),
      again: failureText(run.failure),
    };
    if (!usesOwnCode(asked)) throw new KernelBug('SC1', facts);
    throw notDeterministic(plan, `it failed with "${facts.found}", and now with "${facts.again}"`);
  }
  return { ...verdict, plan, counterexample: { ...counterexample, steps: run.steps } };
}
