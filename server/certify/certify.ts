/**
 * Puts a foreign device under the scheduler: many schedules, each run check. It must do the same for the
 * same grants, keep the driver contract, and break nothing.
 */

import { countOutcome, type Outcome, type Outcomes } from '../explorer/outcomes.ts';
import type { CertificateBound, FindingReason } from '../report/certificate.ts';
import { answerOf } from '../scenario/expectations.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import { type PairsReached, PointPairs } from '../scheduler/point-pairs.ts';
import { notReached, type Reach, watchReach } from '../verify/coverage/reach.ts';
import { streamOf } from '../verify/explore/random-stream.ts';
import { CONTRACT_ORACLE } from '../vocabulary/rules.ts';
import { DeterminismCheck, type DeterminismFinding } from './determinism-check.ts';
import { byPriority, NearOrders, type Orders, RandomOrders, uniformly } from './orders.ts';
import type { GrantPolicy, ScheduleRun, SharedByRuns } from './schedule.ts';
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

export interface Certificate {
  readonly verdict: 'holds' | 'broken' | 'unknown';
  /** What was covered: the reason for the verdict. */
  readonly bound: CertificateBound;
  readonly schedules: number;
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  /** Schedules in which the race was possible at all. */
  readonly windowEntered: number;
  /** How many schedules came to what. */
  readonly outcomes: Outcomes;
  readonly finding: DeterminismFinding | 'none';
  /** What of the kernel, of the patch and of the drivers of other devices ran. */
  readonly reach: Reach;
  /** Yield points of different tasks that followed each other. */
  readonly pairs: PairsReached;
}

interface Count {
  schedules: number;
  runs: number;
  steps: number;
  windowEntered: number;
  tooLong: number;
  readonly outcomes: Map<string, Outcome>;
}

/**
 * The device `device` of `plan` is the client behind `wire`. Nothing is said to hold of a patch that did not run.
 *
 * Throws: BadInput if the setup of the scenario cannot be done.
 */
export async function certify(
  plan: ScenarioPlan,
  device: string,
  wire: Wire,
  options: CertifyOptions,
): Promise<Certificate> {
  const drivers = plan.devices.filter(({ name }) => name !== device).map(({ driver }) => driver);
  const watch = watchReach({ patches: plan.choice.patches, drivers });
  const watched = { ...plan, choice: { ...plan.choice, patches: watch.patches } };
  try {
    const certificate = await certified(watched, device, wire, options);
    const reach = watch.reach();
    const missed = notReached(reach);
    if (certificate.bound.kind !== 'every near order' || missed === 'none') {
      return { ...certificate, reach };
    }
    const { schedules } = certificate;
    return { ...certificate, verdict: 'unknown', bound: { ...missed, schedules }, reach };
  } finally {
    watch.end();
  }
}

async function certified(
  plan: ScenarioPlan,
  device: string,
  wire: Wire,
  options: CertifyOptions,
): Promise<Omit<Certificate, 'reach'>> {
  const began = options.clock();
  const until = began + options.budgetSeconds * 1000;
  const oracles = new Set([...plan.oracles, CONTRACT_ORACLE]);
  const { answerMs, quietMs } = options;
  const limits = { answerMs, quietMs, msLeft: () => until - options.clock() };
  const points = new PointPairs();
  const memory: SharedByRuns = {
    points,
    words: { unknown: new Set(), lacking: new Set() },
    opening: 'unknown',
  };
  const check = new DeterminismCheck({ plan: { ...plan, oracles }, device, wire, memory }, limits);
  const orders = ordersOf(options, () => check.stepsLast);
  const counted: Count = {
    schedules: 0,
    runs: 0,
    steps: 0,
    windowEntered: 0,
    tooLong: 0,
    outcomes: new Map(),
  };
  let finding: DeterminismFinding | 'none' = 'none';
  let doubt: FindingReason | 'none' = 'none';
  let ended: 'complete' | 'budget' | 'interrupted' = 'complete';
  for (let policy = orders.next(); policy !== 'all done'; policy = orders.next()) {
    if (options.goOn() === 'stop') ended = 'interrupted';
    else if (counted.schedules >= options.budgetSchedules || options.clock() > until)
      ended = 'budget';
    if (ended !== 'complete') break;
    const judged = await check.run(policy);
    if (judged.run.ended === 'out of time') {
      ended = 'budget';
      break;
    }
    if (doubt === 'none') doubt = judged.doubt;
    orders.ran(judged.run);
    count(counted, judged.run);
    counted.runs = check.runs;
    options.onProgress(counted.schedules);
    finding = judged.finding;
    if (finding !== 'none' || memory.words.lacking.size > 0) break;
  }
  const seconds = (options.clock() - began) / 1000;
  const { schedules, runs, steps, windowEntered, outcomes } = counted;
  const pairs = points.found();
  const facts = { schedules, runs, steps, seconds, windowEntered, outcomes, finding, pairs };
  return {
    ...facts,
    ...verdictOf(plan, { finding, doubt, ended, lacking: memory.words.lacking }, counted, options),
  };
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
  countOutcome(counted.outcomes, run.failure, () => run.outcome);
}

interface Ending {
  readonly finding: DeterminismFinding | 'none';
  readonly doubt: FindingReason | 'none';
  readonly ended: 'complete' | 'budget' | 'interrupted';
  readonly lacking: ReadonlySet<string>;
}

function verdictOf(
  plan: ScenarioPlan,
  { finding, doubt, ended, lacking }: Ending,
  { schedules, tooLong, windowEntered }: Count,
  { strategy, deviations }: CertifyOptions,
): Pick<Certificate, 'verdict' | 'bound'> {
  const schedulesRun = { schedules };
  if (finding !== 'none') {
    const { reason } = finding;
    const failure = 'failure' in reason ? reason.failure : 'none';
    const verdict = answerOf(plan.question, 'broken', failure);
    return { verdict, bound: { kind: 'found', ...schedulesRun } };
  }
  const unknown = (bound: CertificateBound) => ({ verdict: 'unknown' as const, bound });
  if (lacking.size > 0) {
    return unknown({ kind: 'unknown verbs', verbs: [...lacking], ...schedulesRun });
  }
  if (doubt !== 'none') return unknown({ kind: 'busy', reason: doubt, ...schedulesRun });
  if (ended !== 'complete') return unknown({ kind: 'stopped', why: ended, ...schedulesRun });
  if (tooLong > 0) return unknown({ kind: 'cut', cut: tooLong, ...schedulesRun });
  if (windowEntered === 0) return unknown({ kind: 'window never entered', ...schedulesRun });
  if (strategy !== 'near') return unknown({ kind: 'sampled', ...schedulesRun });
  const bound: CertificateBound = { kind: 'every near order', deviations, ...schedulesRun };
  return { verdict: answerOf(plan.question, 'holds', 'none'), bound };
}
