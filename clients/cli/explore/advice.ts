/** What to do about `unknown`: which option to change, and how long it will take, measured and not guessed. */

import type { DriverNotReached, PatchNotReached } from '../../../server/report/code-reached.ts';
import type { ExploreRequest } from '../../../server/scenario/explore-request.ts';
import { type Parameters, parametersOf } from '../../../server/scenario/instances.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';
import { BadInput } from '../../../server/vocabulary/bad-input.ts';
import { type Answered, answerTo } from './answer.ts';
import { durationText, SHARE_LEAST, shareText } from './estimate.ts';
import { reachingAdvice } from './reaching-advice.ts';

/** A smaller question is tried for so long. */
const PROBE_SECONDS_MAX = 2;
const PROBE_SHARE_OF_BUDGET = 0.1;
const UNTOLD_ADVICE =
  'announce or touch() what two tasks of yours can reach: docs/COUNTEREXAMPLES.md says how; ' +
  '--strategy dfs leaves no order out';
const WINDOW_ADVICE =
  'no execution had the events that the scenario names as its window, in that order: look at its `window`';
/** An estimate may be wrong by so much. */
const MARGIN = 1.5;

/** One sentence for each thing to try. Empty if the answer is not `unknown`. */
export async function adviceFor(
  asked: ExploreRequest,
  search: SearchData,
  { verdict, progress, ended }: Answered,
): Promise<readonly string[]> {
  if (verdict.verdict !== 'unknown') return [];
  if (ended === 'interrupted') {
    const { sampled } = verdict;
    return sampled === undefined ? [] : [`--skip-executions ${sampled.next} goes on from here`];
  }
  const exhaustive = search.strategy === 'dpor' || search.strategy === 'dfs';
  if (!exhaustive) return sampledAdvice(search);
  if (verdict.bound.kind === 'cut') {
    return ['raise bounds.steps in the scenario, if its programs do come to an end'];
  }
  if (verdict.bound.kind === 'window never entered') return [WINDOW_ADVICE];
  if (verdict.bound.kind === 'untold state') return [UNTOLD_ADVICE];
  if (verdict.bound.kind === 'patch not reached') return [patchAdvice(verdict.bound)];
  if (verdict.bound.kind === 'driver not reached') return driverAdvice(verdict.bound);
  const advice: string[] = [];
  if (progress.done >= SHARE_LEAST) {
    const whole = verdict.seconds / progress.done;
    const executions = verdict.executions / progress.done;
    const budgets =
      `--budget-seconds ${Math.ceil(whole * MARGIN)} ` +
      `--budget-executions ${Math.ceil(executions * MARGIN)}`;
    const share = shareText(progress.done);
    advice.push(
      `${share} of the search is done, all of it takes about ${durationText(whole)}: ${budgets}`,
    );
  }
  for (const smaller of smallerQuestions(verdict.plan)) {
    const said = await probed(asked, search, smaller);
    if (said !== 'none') advice.push(said);
  }
  advice.push('--strategy pct finds shallow bugs in what is too big to cover');
  return advice;
}

function patchAdvice(missed: PatchNotReached): string {
  return missed.lines.length > 0
    ? 'ask a scenario in which the condition before those lines is met'
    : reachingAdvice(missed);
}

function driverAdvice({ driver, functions }: DriverNotReached): readonly string[] {
  const what = functions.length === 0 ? 'it' : functions.join(', ');
  return [`ask a scenario in which a device with driver ${driver} comes to ${what}`];
}

interface Smaller {
  readonly text: string;
  readonly parameters: Parameters;
  readonly search: Partial<SearchData>;
}

/** A bound on preemptions does not bound the time: it is searched with less reduction, and may take longer. */
function smallerQuestions({ scenario, choice }: ScenarioPlan): Smaller[] {
  const parameters = parametersOf(scenario, choice.parameters);
  return Object.entries(parameters)
    .filter(([, value]) => value > 1)
    .map(([name, value]) => ({
      text: `--${name} ${value - 1} instead of ${value}`,
      parameters: { ...choice.parameters, [name]: value - 1 },
      search: {},
    }));
}

/** Tries the smaller question for a moment, and says how long all of it takes. */
async function probed(
  asked: ExploreRequest,
  search: SearchData,
  smaller: Smaller,
): Promise<string | 'none'> {
  const budgetSeconds = Math.min(PROBE_SECONDS_MAX, search.budgetSeconds * PROBE_SHARE_OF_BUDGET);
  const question = { ...asked, parameters: smaller.parameters };
  try {
    const { verdict, progress, ended } = await answerTo(
      question,
      { ...search, ...smaller.search, budgetSeconds, budgetExecutions: Number.MAX_SAFE_INTEGER },
      { workers: 1, onProgress: () => undefined },
    );
    if (ended === 'interrupted') return 'none';
    const found = verdict.verdict !== 'unknown';
    if (found) return `${smaller.text}: ${verdict.verdict} after ${durationText(verdict.seconds)}`;
    if (progress.done < SHARE_LEAST) return `${smaller.text} is smaller; how much is not known`;
    return `${smaller.text}: about ${durationText(verdict.seconds / progress.done)}`;
  } catch (error) {
    // Not every scenario can be made smaller.
    if (error instanceof BadInput) return 'none';
    throw error;
  }
}

function sampledAdvice({ strategy, depth, budgetExecutions }: SearchData): string[] {
  return [
    `--budget-executions ${budgetExecutions * 10} looks ten times as often; only --strategy dpor can say that it holds`,
    ...(strategy === 'pct' && depth > 2
      ? ['--depth 2 is more likely to show what two orders suffice for']
      : []),
  ];
}

export function adviceText(advice: readonly string[]): string {
  return advice.length === 0 ? '' : `\n  To try:\n${advice.map((one) => `  - ${one}`).join('\n')}`;
}
