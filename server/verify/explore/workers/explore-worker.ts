/** The thread's side of a search: each function does one job, as a function of what it is sent and of nothing else. */
import { threadId } from 'node:worker_threads';
import type { Measured } from '../../../explorer/measure.ts';
import { measure } from '../../../explorer/measure.ts';
import { sample } from '../../../explorer/sample.ts';
import { BadUserCode, lastReturn } from '../../../scenario/bad-user-code.ts';
import {
  type ExploreRequest,
  planOf,
  planWith,
  usesOwnCode,
} from '../../../scenario/explore-request.ts';
import type { ScenarioPlan } from '../../../scenario/scenario-plan.ts';
import { BadSetup, newScenarioRun, stepsMaxOf } from '../../../scenario/scenario-world.ts';
import { BadInput } from '../../../vocabulary/bad-input.ts';
import { KernelBug } from '../../../vocabulary/invariant.ts';
import type { OwnLines } from '../../coverage/own-files.ts';
import { withReach } from '../../coverage/reach.ts';
import { countFromHere } from '../../coverage/reached-code.ts';
import { askShape as recordOf, type ShapeRecord } from '../../shapes/ask-shape.ts';
import { concludeScenario, exploreScenario, type ScenarioVerdict } from '../explore-scenario.ts';
import {
  checkAgain,
  checkOwnCode,
  notDeterministic,
  ownCodeOf,
  type Trials,
} from '../own-code-check.ts';
import { streamOf } from '../random-stream.ts';
import { type PartResult, watchedPart } from '../sampled-parts.ts';
import type {
  AlongJob,
  AnswerJob,
  ConcludeJob,
  Job,
  LinesJob,
  MeasureJob,
  Reply,
  SampleJob,
  SentVerdict,
  ShapeJob,
} from './jobs.ts';
import { withoutFunctions } from './plain-data.ts';
import { SharedSearch } from './shared-search.ts';
import { serveAlong, ThreadsAlong } from './threads-along.ts';

// It would end this thread and look like a bug of ours; thrown, it is reported with file, line and function.
process.exit = (code) => {
  throw new Error(`process.exit(${code ?? ''}) is called, which would end the search`);
};

interface Known {
  readonly key: string;
  readonly plan: ScenarioPlan;
  /** Of the user's own code, if there is any. */
  readonly trials: Trials;
}

/** A thread does many jobs of one question, and a plan is the same for all of them. */
let known: Known | 'none' = 'none';

/** Loads and tries what the user gave, and does no more. */
export async function checkPlan(job: Job): Promise<Reply<'fine'>> {
  return await reply(job, () => 'fine');
}

export async function measurePlan(job: MeasureJob): Promise<Reply<Measured>> {
  return await reply(job, (plan) =>
    measure(
      () => newScenarioRun(plan),
      stepsMaxOf(plan),
      (execution) => streamOf(job.search.seed, execution),
    ),
  );
}

export async function samplePart(job: SampleJob): Promise<Reply<PartResult>> {
  const { search, strategy, part, measured } = job;
  const shared = new SharedSearch(job.shared);
  return await reply(job, (plan) =>
    watchedPart((watched) =>
      sample(
        watched(() => newScenarioRun(plan)),
        {
          strategy,
          stepsMax: stepsMaxOf(plan),
          depth: search.depth,
          ...(search.preemptionsMax === undefined ? {} : { preemptionsMax: search.preemptionsMax }),
          randomOf: (execution) => streamOf(search.seed, execution),
          ...part,
          counterexamples: 'first',
          measured,
          goOn: () => shared.goOn(),
        },
      ),
    ),
  );
}

export async function answerWhole(job: AnswerJob): Promise<Reply<SentVerdict>> {
  const shared = new SharedSearch(job.shared);
  return await reply(job, (plan) => {
    const alive = () => shared.beat(job.slot);
    const verdict = exploreScenario(plan, {
      ...job.search,
      ...(job.along === undefined ? {} : { along: new ThreadsAlong(job.along, alive) }),
      clock: () => performance.now(),
      onProgress: (progress) => {
        shared.report(progress);
      },
      goOn: () => shared.goOn(),
    });
    return sent(verdict);
  });
}

export async function searchAlong(job: AlongJob): Promise<Reply<'over'>> {
  const { slot, port, search } = job;
  const { preemptionsMax, statesBytesMax } = search;
  const shared = new SharedSearch(job.shared);
  return await reply(job, (plan) => {
    serveAlong(plan, {
      port,
      number: slot,
      ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
      ...(statesBytesMax === undefined ? {} : { statesBytesMax }),
      alive: () => shared.beat(slot),
      goOn: () => shared.goOn(),
    });
    return 'over';
  });
}

export async function concludeCovered(job: ConcludeJob): Promise<Reply<SentVerdict>> {
  const { covered, search, seconds } = job;
  return await reply(job, (plan) => {
    const clock = () => performance.now();
    const began = clock() - seconds * 1_000;
    const goOn = () => new SharedSearch(job.shared).goOn();
    const onProgress = () => undefined;
    const options = { ...search, stepsMax: stepsMaxOf(plan), clock, goOn, onProgress };
    return sent(concludeScenario(plan, covered, options, began));
  });
}

export async function askShape({ scenario, ...job }: ShapeJob): Promise<Reply<ShapeRecord>> {
  return await replyOf(job, scenario, ({ choice }, goOn) =>
    recordOf({ scenario, choice, executions: job.executions, goOn }),
  );
}

export async function linesOfShapes(job: LinesJob): Promise<Reply<readonly OwnLines[]>> {
  const { scenarios, executions } = job;
  const [first] = scenarios;
  if (first === undefined) return { kind: 'done', value: [] };
  return await replyOf(job, first, ({ choice }, goOn) => {
    const { reach } = withReach({ patches: choice.patches, drivers: [] }, ({ patches }) => {
      for (const scenario of scenarios) {
        recordOf({ scenario, choice: { ...choice, patches }, executions, goOn });
      }
    });
    return reach.patches.flatMap(({ lines = [] }) => lines);
  });
}

type OfShapes = Omit<ShapeJob, 'scenario'>;

async function replyOf<T>(
  { asked, slot, shared: buffer }: OfShapes,
  scenario: ShapeJob['scenario'],
  run: (plan: ScenarioPlan, goOn: () => 'go on' | 'stop') => T,
): Promise<Reply<T>> {
  const shared = new SharedSearch(buffer);
  shared.begin(slot, threadId);
  const goOn = () => {
    shared.beat(slot);
    return shared.goOn();
  };
  try {
    const plan = await planWith(scenario, asked);
    return { kind: 'done', value: blamingOwnCode(plan, [], () => run(plan, goOn)) };
  } catch (error) {
    return refusal(error);
  }
}

async function reply<T>(
  { asked, shared: buffer, slot }: MeasureJob,
  run: (plan: ScenarioPlan) => T,
): Promise<Reply<T>> {
  const shared = new SharedSearch(buffer);
  shared.begin(slot, threadId);
  const beat = () => shared.beat(slot);
  try {
    const { plan, trials } = await planFor(asked, beat);
    const lively = { ...plan, onNewWorld: beat };
    const value = blamingOwnCode(lively, trials, () => run(lively));
    if (usesOwnCode(asked)) checkAgain(lively, trials);
    return { kind: 'done', value };
  } catch (error) {
    return refusal(error);
  }
}

/** Throws what is no mistake of the user's. */
function refusal(error: unknown): Exclude<Reply<never>, { readonly kind: 'done' }> {
  if (!(error instanceof BadInput)) throw error;
  const { message } = error;
  return error instanceof BadSetup
    ? { kind: 'bad setup', message }
    : { kind: 'bad input', message };
}

/** Where the user's own code runs, what the search cannot go on with comes from there. */
function blamingOwnCode<T>(plan: ScenarioPlan, trials: Trials, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const own = ownCodeOf(plan).map(({ file, what }) => `${file}: ${what}`);
    if (own.length === 0) throw error;
    if (error instanceof BadSetup) {
      throw new BadSetup(`${own.join(', or ')}: ${error.message}`, { cause: error });
    }
    if (error instanceof BadInput) throw error;
    if (error instanceof KernelBug && error.rule === 'SC1') {
      // The trials say it better, if they show it too by now.
      checkAgain(plan, trials);
      throw notDeterministic(
        plan,
        `the same choices led elsewhere: ${JSON.stringify(error.facts)}`,
      );
    }
    const returned = lastReturn();
    const who = returned === 'none' ? own.join(', or ') : returned;
    const [said, at = ''] = String(error instanceof Error ? error.stack : error).split('\n');
    const message = `the kernel cannot go on with it: ${said} ${at.trim()}`;
    throw new BadUserCode(`${who}; ${message}`, { cause: error });
  }
}

async function planFor(asked: ExploreRequest, beat: () => void): Promise<Known> {
  const key = JSON.stringify(asked);
  if (known === 'none' || known.key !== key) {
    if (usesOwnCode(asked)) countFromHere();
    const plan = await planOf(asked);
    beat();
    const check = () => checkOwnCode({ ...plan, onNewWorld: beat });
    const trials = usesOwnCode(asked) ? blamingOwnCode(plan, [], check) : [];
    known = { key, plan, trials };
  }
  return known;
}

function sent({ plan, ...verdict }: ScenarioVerdict): SentVerdict {
  const { scenario, choice } = plan;
  return { ...withoutFunctions(verdict), scenario, parameters: choice.parameters };
}
