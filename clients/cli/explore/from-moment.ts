/** `mmrace explore --from RUN.jsonl@STEP`: everything reachable from a moment of a recorded live run. */

import type { Event } from '../../../server/abi/event.ts';
import { FIRST_KERNEL } from '../../../server/abi/kernel-ids.ts';
import { stored } from '../../../server/journal/recorder.ts';
import { UnknownPatch } from '../../../server/machine/remote/live-machine.ts';
import { describeBound } from '../../../server/report/bound.ts';
import { countsByText, describeFailure } from '../../../server/report/describe-failure.ts';
import { raceDiagram } from '../../../server/report/diagram.ts';
import type { FormatName } from '../../../server/report/format-names.ts';
import { FORMATS } from '../../../server/report/formats.ts';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { NO_TURN } from '../../../server/report/turn.ts';
import { metaOfCounterexample } from '../../../server/verify/answer/counterexample-meta.ts';
import { metaOfExplored } from '../../../server/verify/answer/explored-meta.ts';
import { plainSteps } from '../../../server/verify/answer/record-execution.ts';
import { printCounterexample } from '../../../server/verify/counterexample/counterexample-file.ts';
import { counterexampleFrom } from '../../../server/verify/counterexample/counterexample-of.ts';
import { printToken } from '../../../server/verify/counterexample/counterexample-token.ts';
import { reproduce } from '../../../server/verify/counterexample/reproduce.ts';
import type { Verdict } from '../../../server/verify/explore/explore.ts';
import { exploreMoment } from '../../../server/verify/moment/explore-moment.ts';
import { type Moment, momentOf, newMomentRun } from '../../../server/verify/moment/moment-world.ts';
import { say } from '../ending.ts';
import { UsageError } from '../failure.ts';
import { newProgress } from '../progress.ts';
import { type RecordedLab, readRecorded } from './read-recorded.ts';
import {
  machineHere,
  modelHere,
  reproduceLine,
  type SavedCounterexample,
  writeText,
} from './saved-counterexample.ts';
import { DEFAULT_BUDGET_EXECUTIONS, type SearchSettings } from './search-settings.ts';

/** Entries after the moment, unless said. */
export const DEFAULT_ENTRIES = 16;
const COLUMNS = 73;

export interface FromOptions extends SearchSettings {
  readonly from: string;
  readonly entries: number;
  readonly patch: string;
  readonly driver: readonly string[];
}

export interface MomentAnswer {
  readonly verdict: Verdict;
  readonly moment: Moment;
  readonly lab: RecordedLab;
  readonly kept: SavedCounterexample | 'none';
  readonly events: readonly Event[];
}

/** Throws: UsageError if the recording or the step cannot be used. */
export function exploreFrom(options: FromOptions): MomentAnswer {
  const { lab, step } = momentNamed(options);
  const { journal } = lab;
  const moment = momentIn(lab, step, options.entries);
  const progress = newProgress('executions');
  const verdict = exploreMoment(moment, {
    strategy: options.strategy,
    budgetExecutions: options.budgetExecutions ?? DEFAULT_BUDGET_EXECUTIONS,
    budgetSeconds: options.budgetSeconds,
    seed: options.seed,
    depth: options.depth,
    clock: () => performance.now(),
    onProgress: ({ executions }) => progress.at(executions),
  });
  progress.end();
  const patch = { name: journal.header.config.patch };
  const names = { patch, drivers: {}, strategy: options.strategy, modelHash: modelHere() };
  const from = { journal: linesOf(lab, step + moment.entries), step, entries: moment.entries };
  const { kernel } = kernelOf(lab);
  const found = counterexampleFrom(verdict, names, journal.header.lab, from, kernel);
  const kept = found === 'none' ? found : { counterexample: found, token: printToken(found) };
  return { verdict, moment, lab, kept, events: eventsOf(kept, moment) };
}

/** What the lab was recorded on. */
function kernelOf({ journal }: RecordedLab): { readonly kernel: string; readonly patch: string } {
  const { kernel = FIRST_KERNEL, patch } = journal.header.config;
  return { kernel, patch };
}

/** `RUN.jsonl@STEP`. Throws: UsageError. */
function momentNamed({ from, patch, driver, preemptions }: FromOptions): {
  lab: RecordedLab;
  step: number;
} {
  const [, file, number] = /^(.+)@(\d+)$/.exec(from) ?? [];
  if (file === undefined || number === undefined) {
    throw new UsageError(`--from ${from}: expected RUN.jsonl@STEP, a recording and an entry of it`);
  }
  const lab = readRecorded(file);
  if (lab.kind !== 'lab') throw new UsageError(`--from ${file}: is no recording of a lab`);
  const { config, model } = lab.header;
  if (patch !== 'stock' && patch !== config.patch) {
    throw new UsageError(
      `--from: the recording was made with the kernel ${config.patch}: leave --patch out`,
    );
  }
  if (preemptions !== undefined) throw new UsageError('--from: leave --preemptions out');
  if (driver.length > 0) {
    throw new UsageError('--from: the clients do what they did then: leave --driver out');
  }
  if (model.hash !== machineHere()) {
    throw new UsageError(
      `${file}: recorded by another model (${model.hash}; this is ${machineHere()}): ` +
        'check out the version that recorded it',
    );
  }
  return { lab, step: stepIn(lab, Number(number)) };
}

function stepIn({ file, journal }: RecordedLab, step: number): number {
  const last = journal.entries.length;
  if (step < last) return step;
  throw new UsageError(
    `--from ${file}@${step}: nothing follows: the recording has ${last} entries, so give a step from 0 to ${last - 1}`,
  );
}

function momentIn({ journal }: RecordedLab, step: number, entries: number): Moment {
  try {
    return momentOf(journal, step, entries);
  } catch (error) {
    if (error instanceof UnknownPatch) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** The recording up to its entry `last`, without what the machine made of it. */
function linesOf({ journal: { header, entries } }: RecordedLab, last: number): string[] {
  const lines = entries.slice(0, last).map(({ n, inbound }) => ({ n, inbound: stored(inbound) }));
  return [header, ...lines].map((line) => JSON.stringify(line));
}

function eventsOf(kept: SavedCounterexample | 'none', moment: Moment): readonly Event[] {
  if (kept === 'none') return [];
  const ran = reproduce(kept.counterexample, newMomentRun(moment));
  return ran.outcome === 'diverged' ? [] : ran.events;
}

export function saveMoment(file: string, { kept, events }: MomentAnswer): void {
  if (kept === 'none') {
    say(`${file}: not written: there is no counterexample to save`);
    return;
  }
  const { format, version, ...rest } = kept.counterexample;
  const about = raceDiagram(events).split('\n');
  writeText(file, printCounterexample({ format, version, about, ...rest }));
}

export function textOfMoment({ verdict, moment, lab, kept, events }: MomentAnswer): string {
  const { lab: name } = lab.journal.header;
  const { counterexample, bound, steps, seconds } = verdict;
  const lines = [
    `${name} at entry ${moment.step}: ${verdict.verdict} (kernel ${kernelLabel(kernelOf(lab))})`,
    ...wrapText(`${describeBound(bound)}; ${steps} steps, ${seconds.toFixed(2)} s.`, COLUMNS).map(
      (line) => `  ${line}`,
    ),
  ];
  if (counterexample === 'none') return lines.join('\n');
  const failure = wrapText(describeFailure(counterexample.failure), COLUMNS).map(
    (line) => `  ${line}`,
  );
  lines.push('', ...failure, '', raceDiagram(events));
  const { pointOfNoReturn } = counterexample;
  const step =
    pointOfNoReturn === 'unknown' ? undefined : counterexample.steps[pointOfNoReturn - 1];
  if (step !== undefined) {
    lines.push(
      `Point of no return: step ${pointOfNoReturn} of ${counterexample.steps.length}, ${step.actor} at ` +
        `${step.step.at}; every continuation fails.`,
    );
  }
  return lines.join('\n') + reproduceLine(kept);
}

export function plainMoment({ verdict, moment, lab, kept }: MomentAnswer): object {
  const { counterexample, outcomes, bound, ...rest } = verdict;
  return {
    lab: lab.journal.header.lab,
    recording: lab.file,
    step: moment.step,
    entries: moment.entries,
    ...kernelOf(lab),
    ...rest,
    bound: describeBound(bound),
    reason: bound,
    outcomes: countsByText(outcomes),
    token: kept === 'none' ? null : kept.token,
    counterexample:
      counterexample === 'none'
        ? null
        : {
            failure: describeFailure(counterexample.failure),
            failed: counterexample.failure,
            choices: counterexample.choices,
            pointOfNoReturn: counterexample.pointOfNoReturn,
            steps: plainSteps(counterexample.steps),
          },
  };
}

export function reportOfMoment(
  answer: MomentAnswer,
  options: FromOptions,
  format: FormatName,
): string {
  const { kept, events, verdict, lab } = answer;
  const again = `npx mmrace explore --from ${options.from} --entries ${options.entries}`;
  const meta =
    kept === 'none'
      ? metaOfExplored(verdict, {
          name: lab.journal.header.lab,
          ...kernelOf(lab),
          strategy: options.strategy,
          reproduce: again,
          question: options.from,
          waits: [],
        })
      : metaOfCounterexample(kept.counterexample, {
          question: kept.counterexample.from,
          reproduce: again,
          setup: [],
          end: '',
          failure: verdict.counterexample === 'none' ? 'none' : verdict.counterexample.failure,
          turn: NO_TURN,
          waits: [],
        });
  return FORMATS[format].render(events, meta);
}
