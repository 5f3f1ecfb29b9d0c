/** The thread's side of a search: each function does one job, as a function of what it is sent and of nothing else. */
import { threadId } from 'node:worker_threads';
import type { Measured } from '../../../explorer/measure.ts';
import { measure } from '../../../explorer/measure.ts';
import { sample } from '../../../explorer/sample.ts';
import { type ExploreRequest, planOf, usesOwnCode } from '../../../scenario/explore-request.ts';
import { BadUserCode, lastReturn } from '../../../scenario/guard-user-code.ts';
import type { ScenarioPlan } from '../../../scenario/scenario-plan.ts';
import { BadSetup, newScenarioRun, stepsMaxOf } from '../../../scenario/scenario-world.ts';
import { BadInput } from '../../../vocabulary/bad-input.ts';
import { KernelBug } from '../../../vocabulary/invariant.ts';
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
  AnswerJob,
  ConcludeJob,
  Job,
  MeasureJob,
  Reply,
  SampleJob,
  SentVerdict,
} from './jobs.ts';
import { withoutFunctions } from './plain-data.ts';
import { SharedSearch } from './shared-search.ts';

// It would end this thread and look like a bug of ours; thrown, it is told with file, line and function.
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
          goOn: () => shared.goOn(0),
        },
      ),
    ),
  );
}

export async function answerWhole(job: AnswerJob): Promise<Reply<SentVerdict>> {
  const shared = new SharedSearch(job.shared);
  return await reply(job, (plan) => {
    let executions = 0;
    const verdict = exploreScenario(plan, {
      ...job.search,
      clock: () => performance.now(),
      onProgress: (progress) => {
        executions = progress.executions;
        shared.tell(progress);
      },
      goOn: () => shared.goOn(executions),
    });
    return sent(verdict);
  });
}

export async function concludeCovered(job: ConcludeJob): Promise<Reply<SentVerdict>> {
  const { covered, search, seconds } = job;
  return await reply(job, (plan) => {
    const clock = () => performance.now();
    const began = clock() - seconds * 1_000;
    const goOn = () => new SharedSearch(job.shared).goOn(0);
    const onProgress = () => undefined;
    const options = { ...search, stepsMax: stepsMaxOf(plan), clock, goOn, onProgress };
    return sent(concludeScenario(plan, covered, options, began));
  });
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
    const lively = beating(plan, beat);
    const value = blamingOwnCode(lively, trials, () => run(lively));
    if (usesOwnCode(asked) === 'yes') checkAgain(lively, trials);
    return { kind: 'done', value };
  } catch (error) {
    if (error instanceof BadInput) return { kind: 'bad input', message: error.message };
    throw error;
  }
}

/** Where code runs that nobody but its author knows, what the search cannot go on with comes from there. */
function blamingOwnCode<T>(plan: ScenarioPlan, trials: Trials, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const own = ownCodeOf(plan).map(({ file, what }) => `${file}: ${what}`);
    if (own.length === 0) throw error;
    if (error instanceof BadSetup) {
      throw new BadUserCode(`${own.join(', or ')}: ${error.message}`, { cause: error });
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
    const plan = await planOf(asked);
    beat();
    const check = () => checkOwnCode(beating(plan, beat));
    const trials = usesOwnCode(asked) === 'yes' ? blamingOwnCode(plan, [], check) : [];
    known = { key, plan, trials };
  }
  return known;
}

/** The same plan; `beat` is called for each world that is built, as a patch that overrides nothing. */
function beating(plan: ScenarioPlan, beat: () => void): ScenarioPlan {
  const heart = {
    id: 'heart',
    provenance: 'the supervision of threads',
    summary: 'tells that another world is built',
    overrides() {
      beat();
      return {};
    },
  };
  const choice = { ...plan.choice, patches: [...plan.choice.patches, heart] };
  return { ...plan, choice };
}

function sent({ plan, ...verdict }: ScenarioVerdict): SentVerdict {
  const { scenario, choice } = plan;
  return { ...withoutFunctions(verdict), scenario, parameters: choice.parameters };
}
