/** Everything that can happen from a moment of a live lab on, as the answer of a run. */
import { FIRST_KERNEL } from '../../abi/kernel-ids.ts';
import { replay } from '../../explorer/replay.ts';
import { JOURNAL_FORMAT, JOURNAL_VERSION } from '../../journal/journal-format.ts';
import type { Journal } from '../../journal/read-journal.ts';
import type { RunEvents, RunVerdict } from '../../protocol/http-api.ts';
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { FORMAT_NAMES } from '../../report/format-names.ts';
import { FORMATS } from '../../report/formats.ts';
import { metaOfExplored } from '../answer/explored-meta.ts';
import { plainSteps, recordingOf } from '../answer/record-execution.ts';
import type { Verdict } from '../explore/explore.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { exploreMoment, MOMENT_STEPS_MAX } from '../moment/explore-moment.ts';
import { type Moment, momentOf, newMomentRun } from '../moment/moment-world.ts';
import type { AskedMoment } from './asked-moment.ts';
import type { FullQuestion } from './run-question.ts';
import type { RunResult } from './run-task.ts';

/** Entries after the moment that are played in every order. */
export const MOMENT_ENTRIES_MAX = 16;

export function answerOfMoment(
  asked: AskedMoment,
  question: FullQuestion,
  options: Pick<ExploreOptions, 'clock' | 'onProgress'>,
): RunResult {
  const moment = momentOf(journalOf(asked, question.scenario), asked.step, MOMENT_ENTRIES_MAX);
  const { strategy, budgetExecutions, budgetSeconds, seed } = question;
  const limits = { strategy, budgetExecutions, budgetSeconds, seed, depth: 0 };
  const verdict = exploreMoment(moment, { ...limits, ...options });
  const events = eventsOf(moment, verdict);
  return {
    verdict: plainVerdict(asked, question, verdict),
    progress: { executions: verdict.executions, steps: verdict.steps, done: 1 },
    events,
    reports: reportsOf(question, verdict, events),
  };
}

/** As a recording of it would be read. */
function journalOf({ config, took }: AskedMoment, lab: string): Journal {
  const entries = took.map((inbound, at) => {
    return { line: at + 2, n: at + 1, inbound, settled: 'none' as const };
  });
  const model = { hash: '', version: '' };
  const format = JOURNAL_FORMAT;
  return { header: { format, version: JOURNAL_VERSION, model, lab, config }, entries, end: 'none' };
}

/** Of the counterexample; without one, of the first execution that comes. */
function eventsOf(moment: Moment, { counterexample }: Verdict): RunEvents {
  const run = newMomentRun(moment);
  const setup = run.world.log.kept.slice();
  const recording = recordingOf(run.world);
  const choices = counterexample === 'none' ? [] : counterexample.choices;
  const { steps } = replay(() => run, choices, MOMENT_STEPS_MAX);
  const pointOfNoReturn = counterexample === 'none' ? 'unknown' : counterexample.pointOfNoReturn;
  return {
    setup,
    events: [...recording.events],
    stepOfEvent: [...recording.stepOfEvent],
    steps: plainSteps(steps),
    failure: counterexample === 'none' ? null : describeFailure(counterexample.failure),
    pointOfNoReturn: pointOfNoReturn === 'unknown' ? null : pointOfNoReturn,
    sibling: null,
    stock: null,
  };
}

function plainVerdict(
  { config, step }: AskedMoment,
  { scenario, patch }: FullQuestion,
  { verdict, bound, executions, steps, seconds, windowEntered, counterexample }: Verdict,
): RunVerdict {
  return {
    scenario: `${scenario}, from entry ${step} on`,
    kernel: config.kernel ?? FIRST_KERNEL,
    patch,
    verdict,
    bound: describeBound(bound),
    executions,
    steps,
    seconds,
    windowEntered,
    counterexample:
      counterexample === 'none'
        ? null
        : {
            failure: describeFailure(counterexample.failure),
            choices: counterexample.choices,
            pointOfNoReturn: counterexample.pointOfNoReturn,
            steps: plainSteps(counterexample.steps),
          },
  };
}

function reportsOf(
  { scenario, patch, strategy, kernel = FIRST_KERNEL }: FullQuestion,
  verdict: Verdict,
  { events, setup }: RunEvents,
): RunResult['reports'] {
  const meta = metaOfExplored(verdict, {
    name: scenario,
    kernel,
    patch,
    strategy,
    reproduce: 'none',
    question: scenario,
    waits: [],
    setup,
  });
  const reports = FORMAT_NAMES.map((format) => [format, FORMATS[format].render(events, meta)]);
  return Object.fromEntries(reports);
}
