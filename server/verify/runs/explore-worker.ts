/** Explores in a thread of its own: the one that serves clients must not stand still. */
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { RunEvents } from '../../protocol/http-api.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { FORMAT_NAMES } from '../../report/format-names.ts';
import { planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { shippedScenarioPath } from '../../scenario/shipped-scenarios.ts';
import { loadPatch } from '../../scenario/user-code.ts';
import { plainVerdict } from '../answer/plain.ts';
import { plainSteps, recordExecution } from '../answer/record-execution.ts';
import { reportOf } from '../answer/report.ts';
import { sameOrder } from '../answer/same-order.ts';
import { counterexampleOf } from '../counterexample/counterexample-of.ts';
import { printToken } from '../counterexample/counterexample-token.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore/explore-scenario.ts';
import { answerOfMoment } from './moment-run.ts';
import { OWN_PATCH } from './own-patch-file.ts';
import { type FullQuestion, PCT_DEPTH, planOfQuestion, splitChoice } from './run-question.ts';
import type { RunNews, RunResult, RunTask } from './run-task.ts';

/** Milliseconds between two messages of progress. */
const NEWS_MS = 100;

/** Called by the pool, by its name. Throws what the world throws. */
export function exploreRun(task: RunTask): RunResult {
  return explored(task, planOfQuestion(task.question));
}

/** The same with the code of the question, in a thread that nothing else runs in. Throws: BadInput, too. */
export async function exploreOwn(task: RunTask): Promise<RunResult> {
  const own = await loadPatch(task.ownPatch ?? '');
  return explored(task, planOfQuestion(task.question, { ...own, id: OWN_PATCH }));
}

/** The same of a moment of a live lab. */
export function exploreMomentRun({ moment, question, news }: RunTask): RunResult {
  if (moment === undefined) throw new RangeError('no moment is asked about');
  const result = answerOfMoment(moment, question, watched(news));
  news.close();
  return result;
}

/** The clock of a search, and how far it is, told now and then. */
function watched(news: RunTask['news']): Pick<ExploreOptions, 'clock' | 'onProgress'> {
  const post = (one: RunNews) => news.postMessage(one);
  post({ kind: 'began' });
  let postedAt = performance.now();
  return {
    clock: () => performance.now(),
    onProgress: (progress) => {
      if (performance.now() - postedAt < NEWS_MS) return;
      postedAt = performance.now();
      const { executions, steps, done } = progress;
      post({ kind: 'progress', progress: { executions, steps, done } });
    },
  };
}

function explored({ question, modelHash, news }: RunTask, plan: ScenarioPlan): RunResult {
  const { strategy, budgetExecutions, budgetSeconds, seed, preemptions } = question;
  const verdict = exploreScenario(plan, {
    strategy,
    budgetExecutions,
    budgetSeconds,
    seed,
    depth: PCT_DEPTH,
    ...(preemptions === undefined ? {} : { preemptionsMax: preemptions }),
    ...watched(news),
  });
  const token = tokenOf(verdict, question, modelHash);
  const { scenario, text } = question;
  const file = text === undefined ? shippedScenarioPath(scenario) : `${scenario}.yaml`;
  const reports = FORMAT_NAMES.map((format) => [
    format,
    reportOf(file, plan, question, verdict, format),
  ]);
  news.close();
  return {
    verdict: plainVerdict(plan, { patch: question.patch, token }, verdict),
    progress: { executions: verdict.executions, steps: verdict.steps, done: 1 },
    events: eventsOf(verdict),
    reports: Object.fromEntries(reports),
  };
}

function tokenOf(
  verdict: ScenarioVerdict,
  { patch, driver, strategy, code }: FullQuestion,
  modelHash: string,
): string | 'none' {
  // Who gets it has not the code.
  if (code !== undefined) return 'none';
  const drivers = driver.map(splitChoice).map(([actor, name]) => [actor, { name }] as const);
  const counterexample = counterexampleOf(verdict, {
    patch: { name: patch },
    drivers: Object.fromEntries(drivers),
    strategy,
    modelHash,
  });
  return counterexample === 'none' ? 'none' : printToken(counterexample);
}

function eventsOf({ plan, counterexample }: ScenarioVerdict): RunEvents {
  if (counterexample === 'none') {
    const nothing = { failure: null, pointOfNoReturn: null, sibling: null, stock: null };
    return { ...shownExecution(plan, []), ...nothing };
  }
  const { pointOfNoReturn, nearestPassingSchedule: sibling, failure } = counterexample;
  return {
    ...shownExecution(plan, counterexample.choices),
    failure: describeFailure(failure),
    pointOfNoReturn: pointOfNoReturn === 'unknown' ? null : pointOfNoReturn,
    sibling: sibling === 'none' ? null : siblingOf(plan, sibling),
    stock: onStock(plan, counterexample.steps),
  };
}

/** What the scenario says itself of its kernel and drivers stays. */
function onStock(plan: ScenarioPlan, steps: readonly ExecutedStep[]): RunEvents['stock'] {
  const { scenario, choice, instances } = plan;
  const right = planScenario(scenario, { ...choice, patches: [], drivers: new Map() });
  const sameKernel = right.choice.patches.length === choice.patches.length;
  if (sameKernel && choice.drivers.size === 0) return null;
  // One of fewer devices than the scenario says has been asked about since.
  if (right.instances.length !== instances.length) return null;
  const { setup, events, eventsBehind, failure } = sameOrder(plan, steps, right);
  return {
    setup: [...setup],
    events: [...events],
    eventsBehind: [...eventsBehind],
    failure: failure === 'none' ? null : describeFailure(failure),
  };
}

function siblingOf(
  plan: ScenarioVerdict['plan'],
  { choices, swapped }: { readonly choices: readonly number[]; readonly swapped: readonly Span[] },
): NonNullable<RunEvents['sibling']> {
  const { events, stepOfEvent, steps } = shownExecution(plan, choices);
  return { events, stepOfEvent, steps, swapped: swapped.map((span) => ({ ...span })) };
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** For a viewer, who wants to see locks as well. */
function shownExecution(
  plan: ScenarioVerdict['plan'],
  choices: readonly number[],
): Pick<RunEvents, 'setup' | 'events' | 'stepOfEvent' | 'steps'> {
  const { setup, events, stepOfEvent, steps } = recordExecution(plan, choices, { logLocks: true });
  return {
    setup: [...setup],
    events: [...events],
    stepOfEvent: [...stepOfEvent],
    steps: plainSteps(steps),
  };
}
