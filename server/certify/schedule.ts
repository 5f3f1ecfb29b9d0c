/**
 * One schedule of a scenario with an external device: the device begins anew, and then every step of the kernel and
 * every frame, in either direction, happens when the policy says so.
 */

import type { Event } from '../abi/event.ts';
import type { Failure } from '../explorer/failure.ts';
import type { Trouble } from '../report/certificate.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import {
  judgeSetup,
  openScenario,
  type ScenarioOpening,
  type ScenarioRun,
  stepsMaxOf,
} from '../scenario/scenario-world.ts';
import type { PointPairs } from '../scheduler/point-pairs.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import { recordingOf } from '../verify/answer/record-execution.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import type { ClientFrame } from './client-frame.ts';
import { describeFrame } from './client-frame.ts';
import { ExternalDevice } from './external-device.ts';
import type { VerbWords } from './verb-words.ts';
import type { Wire } from './wire.ts';

/** How often a client is given its time again because the machine was busy. */
const BUSY_WAITS_MAX = 5;
/** Steps that a setup may take between two frames. */
const SETUP_STEPS_MAX = 1_000_000;

/** What may happen next: a step of a task, or a frame. The same in every run of the same schedule. */
export interface Candidate {
  /** `task 12`, 'frame out', 'frame in'. */
  readonly key: string;
  /** Whose it is: frames are the device's. */
  readonly actor: string;
  /** For people. */
  readonly label: string;
}

/**
 * Chooses one of `candidates` (never empty), by index. 'diverged': a schedule that is repeated does not find what it
 * did last time.
 */
export type GrantPolicy = (
  candidates: readonly Candidate[],
  previous: Candidate | 'none',
  step: number,
) => number | 'diverged';

export interface ScheduleRun {
  readonly ended: 'completed' | 'failed' | 'trouble' | 'too long' | 'diverged' | 'out of time';
  /**
   * 'late': a frame came after the client had been given time to speak and had not, or the machine was busy meanwhile.
   * What differs between two such runs may only have come later.
   */
  readonly timing: 'sure' | 'late';
  readonly failure: Failure | 'none';
  readonly trouble: Trouble | 'none';
  /** The frame of the client that was granted last when it ended. */
  readonly frame: ClientFrame | 'none';
  readonly frames: readonly ClientFrame[];
  readonly choices: readonly string[];
  readonly labels: readonly string[];
  readonly windowEntered: boolean;
  readonly outcome: string;
  /** What happened after the setup. */
  readonly events: readonly Event[];
}

export interface ScheduleLimits {
  /** Milliseconds after which a client that must speak is silent. */
  readonly answerMs: number;
  /** Milliseconds in which a client that may speak does, or has nothing to say. */
  readonly quietMs: number;
  /** Milliseconds that are left of the budget. */
  readonly msLeft: () => number;
}

/** What runs of one device share. */
export interface SharedByRuns {
  /** Which yield points met in the runs. */
  readonly points: PointPairs;
  readonly words: VerbWords;
  /** Frames that it sends by itself when it was reset, once that is known. */
  opening: number | 'unknown';
}

export interface ScheduleParts {
  readonly plan: ScenarioPlan;
  /** The name of the device, which is one of the plan's. */
  readonly device: string;
  readonly wire: Wire;
  readonly memory: SharedByRuns;
  readonly limits: ScheduleLimits;
}

/** Throws: BadInput if the setup cannot be done. */
export async function runSchedule(parts: ScheduleParts, policy: GrantPolicy): Promise<ScheduleRun> {
  const { memory, plan } = parts;
  const device = new ExternalDevice(parts.device, memory.words);
  const schedule = new Schedule(parts, device);
  const opening = openScenario(withDevice(plan, device));
  device.enter(opening.world);
  const began = await schedule.open(opening);
  if (began !== 'fine') return schedule.unsettled(began);
  return await schedule.explore(opening.begin(), policy);
}

function withDevice(plan: ScenarioPlan, device: ExternalDevice): ScenarioPlan {
  const devices = plan.devices.map((one) =>
    one.name === device.name ? { ...one, driver: device.variant } : one,
  );
  return { ...plan, devices };
}

type Settled = 'fine' | 'out of time' | Trouble;

class Schedule {
  readonly #parts: ScheduleParts;
  readonly #device: ExternalDevice;
  readonly #choices: string[] = [];
  readonly #labels: string[] = [];
  #run: ScenarioRun | 'not begun' = 'not begun';
  /** Whether the client was given time to speak since it was sent something. */
  #heardOut = false;
  #timing: ScheduleRun['timing'] = 'sure';
  /** Frames when the client was last heard out. */
  #heard = 0;
  #events: readonly Event[] = [];

  constructor(parts: ScheduleParts, device: ExternalDevice) {
    this.#parts = parts;
    this.#device = device;
  }

  /** Resets the device and runs the setup, first come, first served. */
  async open(opening: ScenarioOpening): Promise<Settled> {
    const { wire, limits, memory } = this.#parts;
    const { answerMs } = limits;
    if (this.#left()) return this.#gone();
    const left = limits.msLeft();
    const ready = await wire.reset(Math.min(answerMs, left), (inbound) =>
      this.#device.arrived(inbound),
    );
    if (ready === 'silent' && left < answerMs) return 'out of time';
    if (ready === 'busy') this.#timing = 'late';
    if (ready === 'refused') {
      return { kind: 'refused', what: { by: 'device', request: 'reset' } };
    }
    if (ready === 'silent' || ready === 'busy') {
      return this.#left() ? this.#gone() : { kind: 'silent', when: { at: 'reset', ms: answerMs } };
    }
    const opened = await this.#awaitOpening(opening);
    if (opened !== 'fine') return opened;
    memory.opening = this.#device.frames.length;
    const { violations } = opening.world.oracles;
    for (const part of opening.setup) {
      const { actor, name, task } = part;
      const before = violations.length;
      const running = opening.world.scheduler.spawn(actor, name, task());
      const drained = await this.#drain(opening);
      if (drained !== 'fine') return drained;
      judgeSetup(this.#parts.plan, opening.world, part, before);
      if (running.state !== 'done') {
        throw new BadInput(
          `setup: ${name} of ${actor} does not end: it waits at ${running.pending.at}`,
        );
      }
    }
    return 'fine';
  }

  /** The device subscribes and takes memory by itself; how many frames that takes is learnt the first time. */
  async #awaitOpening(opening: ScenarioOpening): Promise<Settled> {
    const { memory, limits } = this.#parts;
    for (;;) {
      const drained = await this.#drain(opening);
      if (drained !== 'fine') return drained;
      const { length } = this.#device.frames;
      if (memory.opening !== 'unknown' && length >= memory.opening) return 'fine';
      const ms = memory.opening === 'unknown' ? limits.quietMs : limits.answerMs;
      const next = await this.#nextFrame(ms);
      if (next === 'came') continue;
      if (next === 'out of time') return next;
      if (memory.opening === 'unknown') return 'fine';
      return { kind: 'silent', when: { at: 'opening', before: memory.opening, now: length } };
    }
  }

  /** Grants everything, until nothing is left to grant. */
  async #drain({ world }: ScenarioOpening): Promise<Settled> {
    for (;;) {
      world.scheduler.runFirstCome(SETUP_STEPS_MAX);
      const misuse = this.#misuse();
      if (misuse !== 'none') return misuse;
      if (this.#device.waitingOut > 0) this.#deliver();
      else if (this.#device.waitingIn > 0) this.#device.grantIn();
      else if (this.#device.turn === 'waits') return 'fine';
      const settled = await this.#settle();
      if (settled !== 'fine') return settled;
    }
  }

  async explore(run: ScenarioRun, policy: GrantPolicy): Promise<ScheduleRun> {
    this.#run = run;
    this.#events = recordingOf(run.world).events;
    this.#parts.memory.points.listen(run.scheduler);
    const ended = await this.#exploreSteps(run, policy);
    return typeof ended === 'string' ? this.#result(ended, 'none', 'none') : ended();
  }

  async #exploreSteps(
    run: ScenarioRun,
    policy: GrantPolicy,
  ): Promise<'completed' | 'too long' | 'diverged' | (() => ScheduleRun)> {
    const stepsMax = stepsMaxOf(this.#parts.plan);
    let previous: Candidate | 'none' = 'none';
    for (let step = 0; step < stepsMax; step += 1) {
      const settled = await this.#settle();
      if (settled !== 'fine') return () => this.unsettled(settled);
      const ready = run.scheduler.readyTasks();
      const candidates = this.#candidates(ready);
      if (candidates.length === 0) return this.#atEnd(run);
      const chosen = policy(candidates, previous, step);
      const candidate = chosen === 'diverged' ? undefined : candidates[chosen];
      if (candidate === undefined) return 'diverged';
      previous = candidate;
      this.#choices.push(candidate.key);
      this.#labels.push(candidate.label);
      this.#take(run, ready, candidate.key);
      const failure = run.failure();
      if (failure !== 'none') return () => this.#result('failed', failure, 'none');
      const misuse = this.#misuse();
      if (misuse !== 'none') return () => this.troubled(misuse);
    }
    return 'too long';
  }

  #candidates(ready: readonly RunningTask[]): Candidate[] {
    const { name, waitingIn, waitingOut } = this.#device;
    const frames: Candidate[] = [];
    if (waitingOut > 0) {
      const label = `${name} gets ${this.#device.describeNext('out')}`;
      frames.push({ key: 'frame out', actor: name, label });
    }
    if (waitingIn > 0) {
      frames.push({
        key: 'frame in',
        actor: name,
        label: `${name} says ${this.#device.describeNext('in')}`,
      });
    }
    const tasks = ready.map(({ identity, pending }) => ({
      key: `task ${identity.id}`,
      actor: identity.actor,
      label: `${identity.actor} (${identity.name}) at ${pending.at}`,
    }));
    return [...frames, ...tasks];
  }

  #take(run: ScenarioRun, ready: readonly RunningTask[], key: string): void {
    if (key === 'frame in') this.#device.grantIn();
    else if (key === 'frame out') this.#deliver();
    else {
      const task = ready.find(({ identity }) => `task ${identity.id}` === key);
      if (task !== undefined) run.scheduler.step(task);
    }
  }

  #deliver(): void {
    this.#heardOut = false;
    this.#parts.wire.deliver(this.#device.grantOut());
  }

  #atEnd(run: ScenarioRun): 'completed' | (() => ScheduleRun) {
    const failure = run.failureAtEnd(run.scheduler.blockedTasks());
    return failure === 'none' ? 'completed' : () => this.#result('failed', failure, 'none');
  }

  /** Waits until the client has said what it has to say for now. */
  async #settle(): Promise<Settled> {
    const { wire, limits } = this.#parts;
    for (;;) {
      if (this.#left()) return this.#gone();
      const refused = wire.refused();
      if (refused !== 'nothing') {
        const n = this.#device.frames.length + 1;
        return { kind: 'refused', what: { by: 'gateway', n, why: refused } };
      }
      const { turn } = this.#device;
      // It had nothing to say, and now it has: it was late.
      if (this.#heardOut && this.#device.frames.length > this.#heard) {
        this.#timing = 'late';
      }
      if (turn === 'waits' || (turn === 'may' && this.#heardOut)) return 'fine';
      const next = await this.#nextFrame(turn === 'must' ? limits.answerMs : limits.quietMs);
      if (next === 'out of time') return next;
      if (next === 'came' || this.#left()) continue;
      if (turn === 'must') return this.#silent();
      this.#heardOut = true;
      this.#heard = this.#device.frames.length;
    }
  }

  /** A client that could not run is waited for, but not for ever, and never longer than the budget lasts. */
  async #nextFrame(ms: number): Promise<'came' | 'nothing' | 'out of time'> {
    const { wire, limits } = this.#parts;
    for (let wait = 0; wait < BUSY_WAITS_MAX; wait += 1) {
      const left = limits.msLeft();
      if (left <= 0) return 'out of time';
      const next = await wire.nextFrame(Math.min(ms, left));
      if (next === 'came') return next;
      if (next === 'nothing') return left < ms ? 'out of time' : next;
      this.#timing = 'late';
    }
    return 'nothing';
  }

  #silent(): Trouble {
    const { frames, unanswered: owes } = this.#device;
    const frame = describeFrame(frames.at(-1));
    const ms = this.#parts.limits.answerMs;
    return { kind: 'silent', when: { at: 'frame', ms, n: frames.length, frame, owes } };
  }

  /** Asked again after each wait. */
  #left(): boolean {
    return this.#parts.wire.state === 'gone';
  }

  #gone(): Trouble {
    return { kind: 'gone', frames: this.#device.frames.length };
  }

  #misuse(): Trouble | 'none' {
    const [first] = this.#device.misuses;
    return first === undefined
      ? 'none'
      : { kind: 'refused', what: { by: 'kernel', misuse: first } };
  }

  unsettled(why: Exclude<Settled, 'fine'>): ScheduleRun {
    return why === 'out of time' ? this.#result(why, 'none', 'none') : this.troubled(why);
  }

  troubled(trouble: Trouble): ScheduleRun {
    return this.#result('trouble', 'none', trouble);
  }

  #result(
    ended: ScheduleRun['ended'],
    failure: Failure | 'none',
    trouble: Trouble | 'none',
  ): ScheduleRun {
    const run = this.#run;
    return {
      ended,
      timing: this.#timing,
      failure,
      trouble,
      frame: this.#device.lastGranted,
      frames: this.#device.frames,
      choices: this.#choices,
      labels: this.#labels,
      windowEntered: run !== 'not begun' && run.windowEntered(),
      outcome: run === 'not begun' ? '' : run.outcome(),
      events: this.#events,
    };
  }
}
