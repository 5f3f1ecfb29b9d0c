/**
 * Runs each schedule twice: a device does the same after the same grants. One that was only late gets more time before
 * it is called anything else.
 */
import type { Event } from '../abi/event.ts';
import { isSameFailure, ruleOf } from '../explorer/failure.ts';
import type { FindingReason } from '../report/certificate.ts';
import { describeFailure } from '../report/describe-failure.ts';
import { RULES, type RuleId } from '../vocabulary/rules.ts';
import {
  type ClientFrame,
  describeFrame,
  type FrameDifference,
  firstDifference,
} from './client-frame.ts';
import { repeating } from './orders.ts';
import {
  type GrantPolicy,
  runSchedule,
  type ScheduleLimits,
  type ScheduleParts,
  type ScheduleRun,
} from './schedule.ts';

/** Why a device does not pass. */
export interface DeterminismFinding {
  readonly reason: FindingReason;
  /** The frame that it is about, or 'none'. */
  readonly frame: FrameDifference | 'none';
  readonly frames: readonly ClientFrame[];
  /** What was granted, in order, for people. */
  readonly grants: readonly string[];
  readonly events: readonly Event[];
}

/** How often a schedule is tried again, with more time for the device, before it is called nondeterministic. */
const PATIENCE_MAX = 2;
const PATIENCE_FACTOR = 5;
/** Steps of a schedule, as PCT guesses at first. */
const STEPS_GUESS = 100;

export interface Judged {
  readonly run: ScheduleRun;
  readonly finding: DeterminismFinding | 'none';
  /** What it would be called if the machine had not been busy. */
  readonly doubt: FindingReason | 'none';
}

/** That a client is silent, or differs, is no finding where it may only have been late. */
function judged(run: ScheduleRun, finding: DeterminismFinding | 'none'): Judged {
  if (finding === 'none') return { run, finding, doubt: 'none' };
  const { reason } = finding;
  const isOfTime = reason.kind === 'silent' || reason.kind === 'not deterministic';
  if (isOfTime && run.timing === 'late') return { run, finding: 'none', doubt: reason };
  return { run, finding, doubt: 'none' };
}

function isSilent({ trouble }: ScheduleRun): boolean {
  return trouble !== 'none' && trouble.kind === 'silent';
}

/** Runs each schedule twice and compares. */
export class DeterminismCheck {
  readonly #parts: Omit<ScheduleParts, 'limits'>;
  readonly #msLeft: () => number;
  #answerMs: number;
  #quietMs: number;
  #last: ScheduleRun | 'none' = 'none';
  runs = 0;
  /** Steps of the last schedule. */
  stepsLast = STEPS_GUESS;

  constructor(parts: Omit<ScheduleParts, 'limits'>, options: ScheduleLimits) {
    this.#parts = parts;
    this.#msLeft = options.msLeft;
    this.#answerMs = options.answerMs;
    this.#quietMs = options.quietMs;
  }

  async run(policy: GrantPolicy): Promise<Judged> {
    const { unknown } = this.#parts.memory.words;
    const knew = unknown.size;
    let first = await this.#once(policy);
    // It was asked for verbs that it does not know, and will not be again.
    if (unknown.size > knew) first = await this.#once(policy);
    if (isSilent(first)) {
      // It may only be slow.
      this.#answerMs *= PATIENCE_FACTOR;
      first = await this.#once(policy);
      if (isSilent(first)) return judged(first, troubleOf(first));
    }
    for (let patience = 0; ; patience += 1) {
      if (first.ended === 'out of time') return judged(first, 'none');
      if (first.trouble !== 'none' && first.trouble.kind === 'gone') {
        return judged(first, troubleOf(first));
      }
      if (first.ended === 'diverged') {
        if (patience === PATIENCE_MAX) {
          return judged(first, this.#notDeterministic(this.#fromLast(first), first));
        }
        this.#quietMs *= PATIENCE_FACTOR;
        first = await this.#once(policy);
        continue;
      }
      const second = await this.#once(repeating(first.choices));
      this.stepsLast = Math.max(1, first.choices.length);
      if (second.ended === 'out of time') return judged(second, 'none');
      const difference = differenceOf(first, second);
      if (difference === 'none') {
        this.#last = first;
        return judged(first, this.#findingOf(first));
      }
      if (patience === PATIENCE_MAX) {
        const { timing } = first;
        const both: ScheduleRun = timing === 'late' ? { ...second, timing } : second;
        return judged(both, this.#notDeterministic(difference, second));
      }
      // It may only have been late.
      this.#quietMs *= PATIENCE_FACTOR;
      first = await this.#once(repeating(first.choices));
    }
  }

  async #once(policy: GrantPolicy): Promise<ScheduleRun> {
    this.runs += 1;
    const limits: ScheduleLimits = {
      answerMs: this.#answerMs,
      quietMs: this.#quietMs,
      msLeft: this.#msLeft,
    };
    return await runSchedule({ ...this.#parts, limits }, policy);
  }

  /** The schedule begins as the last one did, and yet not the same could be granted. */
  #fromLast(run: ScheduleRun): FrameDifference {
    const { frames } = run;
    const before = this.#last === 'none' ? [] : this.#last.frames.slice(0, frames.length);
    const difference = firstDifference(before, frames);
    if (difference !== 'none') return difference;
    return { n: frames.length + 1, expected: 'a frame', came: 'nothing' };
  }

  #findingOf(run: ScheduleRun): DeterminismFinding | 'none' {
    if (run.ended === 'trouble') return troubleOf(run);
    if (run.failure === 'none') return 'none';
    const { frame, failure } = run;
    const rule = ruleOf(failure);
    const kind = rule.startsWith('CR') ? 'contract' : 'oracle';
    const near = frame === 'none' ? frame : { n: frame.n, method: frame.method };
    const at: FrameDifference | 'none' =
      frame === 'none'
        ? 'none'
        : { n: frame.n, expected: sentenceOf(rule), came: describeFrame(frame) };
    return { reason: { kind, failure, near }, frame: at, ...measured(run) };
  }

  #notDeterministic(difference: FrameDifference, run: ScheduleRun): DeterminismFinding {
    return {
      reason: { kind: 'not deterministic', ...difference },
      frame: difference,
      ...measured(run),
    };
  }
}

function sentenceOf(id: string): string {
  return Object.hasOwn(RULES, id) ? RULES[id as RuleId] : 'nothing that the scenario forbids';
}

function troubleOf(run: ScheduleRun): DeterminismFinding {
  const { trouble } = run;
  if (trouble === 'none') throw new Error('the schedule ended without trouble');
  const { kind } = trouble;
  const n = kind === 'refused' && run.frame !== 'none' ? run.frame.n : run.frames.length + 1;
  const came = kind === 'refused' ? describeFrame(run.frames[n - 1]) : 'nothing';
  const expected = kind === 'refused' ? 'a frame that is served' : 'a frame';
  return { reason: trouble, frame: { n, expected, came }, ...measured(run) };
}

function measured({
  frames,
  labels,
  events,
}: ScheduleRun): Pick<DeterminismFinding, 'frames' | 'grants' | 'events'> {
  return { frames, grants: labels, events };
}

/** Where two runs of one schedule differ, or 'none'. */
function differenceOf(first: ScheduleRun, second: ScheduleRun): FrameDifference | 'none' {
  const difference = firstDifference(first.frames, second.frames);
  if (difference !== 'none') return difference;
  if (
    second.ended !== 'diverged' &&
    isSameFailure(first.failure, second.failure) &&
    sameTrouble(first, second)
  )
    return 'none';
  const n = second.frames.length + 1;
  const expected = first.failure === 'none' ? 'as before' : describeFailure(first.failure);
  return {
    n,
    expected,
    came: second.failure === 'none' ? 'another order of grants' : describeFailure(second.failure),
  };
}

function sameTrouble(first: ScheduleRun, second: ScheduleRun): boolean {
  return JSON.stringify(first.trouble) === JSON.stringify(second.trouble);
}
