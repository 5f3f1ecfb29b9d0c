/**
 * Puts a device of somebody else's under the scheduler: many schedules, each run twice. It must do the same for the
 * same grants, keep the driver contract, and break nothing.
 */

import { CONTRACT_ORACLE } from '../../machine/oracles/contract/contract.ts';
import type { Event } from '../../protocol/event.ts';
import { RULES, type RuleId } from '../../vocabulary/rules.ts';
import { streamOf } from '../explore/random-stream.ts';
import { answerOf } from '../scenario/expectations.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import {
  type ClientFrame,
  type Difference,
  describeFrame,
  firstDifference,
} from './client-frame.ts';
import {
  byPriority,
  NearOrders,
  type Orders,
  RandomOrders,
  repeating,
  uniformly,
} from './orders.ts';
import {
  type DeviceMemory,
  type GrantPolicy,
  runSchedule,
  type ScheduleLimits,
  type ScheduleParts,
  type ScheduleRun,
} from './schedule.ts';
import type { Wire } from './wire.ts';

export type CertifyStrategy = 'near' | 'random' | 'pct';

export interface CertifyOptions {
  readonly strategy: CertifyStrategy;
  /** 'near': places in which an order may leave first come, first served. */
  readonly deviations: number;
  readonly budgetSchedules: number;
  /** Seconds of `clock`. */
  readonly budgetSeconds: number;
  readonly seed: number;
  /** PCT: ordering constraints of the bug. */
  readonly depth: number;
  readonly answerMs: number;
  readonly quietMs: number;
  /** Milliseconds, moving forwards. */
  readonly clock: () => number;
  readonly onProgress: (schedules: number) => void;
  /** Asked before each schedule. */
  readonly goOn: () => 'go on' | 'stop';
}

/** Why a device does not pass. */
export interface Finding {
  readonly kind: 'not deterministic' | 'contract' | 'oracle' | 'silent' | 'gone' | 'refused';
  /** One sentence. */
  readonly failure: string;
  /** The frame that it is about, or 'none'. */
  readonly frame: Difference | 'none';
  readonly frames: readonly ClientFrame[];
  /** What was granted, in order, for people. */
  readonly grants: readonly string[];
  readonly events: readonly Event[];
}

export interface Certificate {
  readonly verdict: 'holds' | 'broken' | 'unknown';
  /** What was covered, in one sentence. */
  readonly bound: string;
  readonly schedules: number;
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  /** Schedules in which the race was possible at all. */
  readonly windowEntered: number;
  /** Outcome to number of schedules. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly finding: Finding | 'none';
}

/** How often a schedule is tried again, with more time for the device, before it is called nondeterministic. */
const PATIENCE_MAX = 2;
const PATIENCE_FACTOR = 5;
/** Steps of a schedule, as PCT guesses at first. */
const STEPS_GUESS = 100;

interface Count {
  schedules: number;
  runs: number;
  steps: number;
  windowEntered: number;
  tooLong: number;
  readonly outcomes: Map<string, number>;
}

/**
 * The device `device` of `plan` is the client behind `wire`.
 *
 * Throws: BadInput if the setup of the scenario cannot be done.
 */
export async function certify(
  plan: ScenarioPlan,
  device: string,
  wire: Wire,
  options: CertifyOptions,
): Promise<Certificate> {
  const began = options.clock();
  const until = began + options.budgetSeconds * 1000;
  const oracles = new Set([...plan.oracles, CONTRACT_ORACLE]);
  const memory: DeviceMemory = { words: { unknown: new Set() }, opening: 'unknown' };
  const twice = new Twice({ plan: { ...plan, oracles }, device, wire, memory }, options);
  const orders = ordersOf(options, () => twice.stepsLast);
  const counted: Count = {
    schedules: 0,
    runs: 0,
    steps: 0,
    windowEntered: 0,
    tooLong: 0,
    outcomes: new Map(),
  };
  let finding: Finding | 'none' = 'none';
  let ended: 'complete' | 'budget' | 'interrupted' = 'complete';
  for (let policy = orders.next(); policy !== 'all done'; policy = orders.next()) {
    if (options.goOn() === 'stop') ended = 'interrupted';
    else if (counted.schedules >= options.budgetSchedules || options.clock() > until)
      ended = 'budget';
    if (ended !== 'complete') break;
    const judged = await twice.run(policy);
    orders.ran(judged.run);
    count(counted, judged.run);
    counted.runs = twice.runs;
    options.onProgress(counted.schedules);
    finding = judged.finding;
    if (finding !== 'none') break;
  }
  const seconds = (options.clock() - began) / 1000;
  const { schedules, runs, steps, windowEntered, outcomes } = counted;
  const facts = { schedules, runs, steps, seconds, windowEntered, outcomes, finding };
  return { ...facts, ...verdictOf(plan, finding, ended, counted, options) };
}

function ordersOf(options: CertifyOptions, steps: () => number): Orders {
  const { strategy, deviations, budgetSchedules, seed, depth } = options;
  if (strategy === 'near') return new NearOrders(deviations);
  const randomOf = (schedule: number) => streamOf(seed, schedule);
  const policyOf = (random: () => number): GrantPolicy =>
    strategy === 'random' ? uniformly(random) : byPriority(random, steps(), depth);
  return new RandomOrders(budgetSchedules, randomOf, policyOf);
}

function count(counted: Count, run: ScheduleRun): void {
  counted.schedules += 1;
  counted.steps += run.choices.length;
  if (run.windowEntered) counted.windowEntered += 1;
  if (run.ended === 'too long') counted.tooLong += 1;
  const outcome = run.failure === 'none' ? run.outcome : run.failure;
  counted.outcomes.set(outcome, (counted.outcomes.get(outcome) ?? 0) + 1);
}

function verdictOf(
  plan: ScenarioPlan,
  finding: Finding | 'none',
  ended: 'complete' | 'budget' | 'interrupted',
  { schedules, tooLong, windowEntered }: Count,
  { strategy, deviations }: CertifyOptions,
): Pick<Certificate, 'verdict' | 'bound'> {
  const many = `${schedules} schedule${schedules === 1 ? '' : 's'}, each run twice`;
  if (finding !== 'none') {
    const verdict = answerOf(plan.question, 'broken', finding.failure);
    return { verdict, bound: `found in ${many}` };
  }
  if (ended !== 'complete') {
    const why = ended === 'budget' ? 'the budget ended' : 'interrupted';
    return { verdict: 'unknown', bound: `${why} after ${many}` };
  }
  if (tooLong > 0) return { verdict: 'unknown', bound: `${tooLong} of ${many} were cut: too long` };
  if (windowEntered === 0) {
    return { verdict: 'unknown', bound: `the race window was never entered in ${many}` };
  }
  if (strategy !== 'near')
    return { verdict: 'unknown', bound: `sampled: nothing found in ${many}` };
  const places = deviations === 1 ? '1 place' : `${deviations} places`;
  const bound = `every order that leaves first come, first served in at most ${places}, whoever begins: ${many}`;
  return { verdict: answerOf(plan.question, 'holds', 'none'), bound };
}

interface Judged {
  readonly run: ScheduleRun;
  readonly finding: Finding | 'none';
}

/** Runs each schedule twice and compares. */
class Twice {
  readonly #parts: Omit<ScheduleParts, 'limits'>;
  readonly #answerMs: number;
  #quietMs: number;
  #last: ScheduleRun | 'none' = 'none';
  runs = 0;
  /** Steps of the last schedule. */
  stepsLast = STEPS_GUESS;

  constructor(parts: Omit<ScheduleParts, 'limits'>, options: CertifyOptions) {
    this.#parts = parts;
    this.#answerMs = options.answerMs;
    this.#quietMs = options.quietMs;
  }

  async run(policy: GrantPolicy): Promise<Judged> {
    const { unknown } = this.#parts.memory.words;
    const knew = unknown.size;
    let first = await this.#once(policy);
    // It was asked for verbs that it does not know, and will not be again.
    if (unknown.size > knew) first = await this.#once(policy);
    for (let patience = 0; ; patience += 1) {
      if (first.trouble === 'gone') return { run: first, finding: troubleOf(first) };
      if (first.ended === 'diverged') {
        if (patience === PATIENCE_MAX) {
          return { run: first, finding: this.#notDeterministic(this.#fromLast(first), first) };
        }
        this.#quietMs *= PATIENCE_FACTOR;
        first = await this.#once(policy);
        continue;
      }
      const second = await this.#once(repeating(first.choices));
      this.stepsLast = Math.max(1, first.choices.length);
      const difference = differenceOf(first, second);
      if (difference === 'none') {
        this.#last = first;
        return { run: first, finding: this.#findingOf(first) };
      }
      if (patience === PATIENCE_MAX) {
        return { run: first, finding: this.#notDeterministic(difference, second) };
      }
      // It may only have been late.
      this.#quietMs *= PATIENCE_FACTOR;
      first = await this.#once(repeating(first.choices));
    }
  }

  async #once(policy: GrantPolicy): Promise<ScheduleRun> {
    this.runs += 1;
    const limits: ScheduleLimits = { answerMs: this.#answerMs, quietMs: this.#quietMs };
    return await runSchedule({ ...this.#parts, limits }, policy);
  }

  /** The schedule begins as the last one did, and yet not the same could be granted. */
  #fromLast(run: ScheduleRun): Difference {
    const { frames } = run;
    const before = this.#last === 'none' ? [] : this.#last.frames.slice(0, frames.length);
    const difference = firstDifference(before, frames);
    if (difference !== 'none') return difference;
    return { n: frames.length + 1, expected: 'a frame', came: 'nothing' };
  }

  #findingOf(run: ScheduleRun): Finding | 'none' {
    if (run.ended === 'trouble') return troubleOf(run);
    if (run.failure === 'none') return 'none';
    const kind = /^CR\d+: /.test(run.failure) ? 'contract' : 'oracle';
    const { frame } = run;
    const about = frame === 'none' ? '' : ` (at or after its frame ${frame.n}, ${frame.method})`;
    const failure = kind === 'contract' ? `${run.failure}${about}` : run.failure;
    const at: Difference | 'none' =
      frame === 'none'
        ? 'none'
        : { n: frame.n, expected: ruleIn(run.failure), came: describeFrame(frame) };
    return { kind, failure, frame: at, ...told(run) };
  }

  #notDeterministic(difference: Difference, run: ScheduleRun): Finding {
    const { n, expected, came } = difference;
    const failure =
      `${this.#parts.device} is not deterministic: after the same grants its frame ${n} was ${expected} in one run ` +
      `and ${came} in the next`;
    return { kind: 'not deterministic', failure, frame: difference, ...told(run) };
  }
}

/** The sentence of the rule that a failure begins with. */
function ruleIn(failure: string): string {
  const [id = ''] = failure.split(':');
  return Object.hasOwn(RULES, id) ? RULES[id as RuleId] : 'nothing that the scenario forbids';
}

function troubleOf(run: ScheduleRun): Finding {
  const kind = run.trouble === 'none' ? 'silent' : run.trouble;
  const n = kind === 'refused' && run.frame !== 'none' ? run.frame.n : run.frames.length + 1;
  const came = kind === 'refused' ? describeFrame(run.frames[n - 1]) : 'nothing';
  const expected = kind === 'refused' ? 'a frame that is served' : 'a frame';
  return { kind, failure: run.failure, frame: { n, expected, came }, ...told(run) };
}

function told({
  frames,
  labels,
  events,
}: ScheduleRun): Pick<Finding, 'frames' | 'grants' | 'events'> {
  return { frames, grants: labels, events };
}

/** What tells two runs of one schedule apart, or 'none'. */
function differenceOf(first: ScheduleRun, second: ScheduleRun): Difference | 'none' {
  const difference = firstDifference(first.frames, second.frames);
  if (difference !== 'none') return difference;
  if (second.ended !== 'diverged' && first.failure === second.failure) return 'none';
  const n = second.frames.length + 1;
  const expected = first.failure === 'none' ? 'as before' : first.failure;
  return {
    n,
    expected,
    came: second.failure === 'none' ? 'another order of grants' : second.failure,
  };
}
