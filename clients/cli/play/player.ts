/**
 * Plays a counterexample into a paused lab. The lab's own execution runs beside it, step by step: the task that takes
 * the next step there takes it here, in the server or in a client, and what it does to memory must be the same.
 */

import type { Event } from '../../../server/abi/event.ts';
import { takeStep } from '../../../server/explorer/execution.ts';
import type { TaskEntry } from '../../../server/protocol/lab-control.ts';
import { FAIR_TURN } from '../../../server/scenario/fair-faults.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun } from '../../../server/scenario/scenario-world.ts';
import type { RunningTask } from '../../../server/scheduler/scheduler.ts';
import {
  type Counterexample,
  choicesOfSchedule,
} from '../../../server/verify/counterexample/counterexample.ts';
import { UsageError } from '../failure.ts';
import type { LabHand } from '../lab-hand.ts';
import type { PlayStage, RunningThread } from './stage.ts';

const LOOK_MS = 2;
/** Where a task of the server stands for the sake of the connection; the lab has no such places. */
const OF_THE_CONNECTION =
  /^task\.start$|\.answers?$|^migrate_to_ram\.unused$|^serve_device\.|^detach\./;

/** A task that exists live, in the server or in a client. */
type LiveTask =
  | { readonly where: 'server'; readonly task: TaskEntry }
  | { readonly where: 'client'; readonly actor: string; readonly task: RunningTask };

/** The live tasks that do what one task of the lab does: a request, the callback that it waits for, and so on. */
interface Part {
  readonly lab: RunningTask;
  /** `server 12`, `dev0 3`. */
  readonly live: Set<string>;
  /** Of a callback that the lab runs as a task of its own: the client that it is put to. */
  readonly callbackOf: string | 'none';
  thread: RunningThread | 'none';
}

/** Where the order could not be forced. */
export class NotForced extends Error {
  readonly step: number;

  constructor(step: number, message: string) {
    super(message);
    this.name = 'NotForced';
    this.step = step;
  }
}

export interface PlayerOptions {
  readonly hand: LabHand;
  readonly stage: PlayStage;
  readonly plan: ScenarioPlan;
  /** What observers have seen since the pause, in order. */
  readonly seen: readonly Event[];
  /** Milliseconds for a step of the lab to happen live. */
  readonly patienceMs: number;
  /** Called before each step. */
  readonly onStep: (step: number, task: RunningTask, where: string) => void;
}

export class Player {
  readonly #options: PlayerOptions;
  readonly #run: ScenarioRun;
  readonly #parts = new Map<number, Part>();
  /** Live tasks that belong to some part, or were there before. */
  readonly #known = new Set<string>();
  /** What memory went through in the lab, and how much of it was seen live. */
  readonly #expected: string[] = [];
  #step = 0;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#run = newScenarioRun(options.plan);
    this.#run.world.log.listeners.push((event) => {
      const comparable = comparableEvent(event);
      if (comparable !== 'nothing') this.#expected.push(comparable);
    });
  }

  /** Throws: NotForced, with the step; UsageError. The lab is paused and the stage shut. */
  async play(counterexample: Counterexample): Promise<ScenarioRun> {
    for (const live of this.#live()) this.#known.add(keyOf(live));
    const choices = choicesOfSchedule(counterexample);
    for (const [at, choice] of choices.entries()) {
      this.#step = at + 1;
      const task = this.#labTask(choice);
      await this.#take(task);
    }
    return this.#run;
  }

  #labTask(id: number): RunningTask {
    const task = this.#run.scheduler.readyTasks().find(({ identity }) => identity.id === id);
    if (task === undefined) throw this.#notForced(`task ${id} of the lab is not ready`);
    return task;
  }

  async #take(task: RunningTask): Promise<void> {
    const { at } = task.pending;
    const part = this.#partOf(task);
    const before = this.#tasksOfLab();
    const thread = this.#threadOf(task, at);
    if (thread !== 'none') {
      this.#options.onStep(this.#step, task, `client ${task.identity.actor}`);
      part.thread = this.#options.stage.start(thread);
    } else if (at === FAIR_TURN) {
      this.#options.onStep(this.#step, task, 'the lab only');
    } else {
      const live = await this.#liveAt(part, at);
      this.#options.onStep(this.#step, task, whereWords(live));
      await this.#stepLive(live);
    }
    takeStep(this.#run, task);
    const spawned = this.#tasksOfLab().filter(
      ({ identity }) => !before.some((one) => one.identity === identity),
    );
    for (const child of spawned) this.#partOf(child);
    await this.#settle([part, ...spawned.map((child) => this.#partOf(child))], part);
    await this.#sameMemory();
  }

  /** The first step of a program is the client's own. */
  #threadOf(task: RunningTask, at: string) {
    const { plan } = this.#options;
    if (at !== 'task.start' || task.identity.parent !== 'none') return 'none';
    const { actor, name } = task.identity;
    const threads = plan.threads.filter((one) => one.actor === actor && one.name === name);
    // Threads of one name are alike: the first that has not begun.
    const begun = [...this.#parts.values()].filter(
      ({ lab, thread }) =>
        thread !== 'none' && lab.identity.actor === actor && lab.identity.name === name,
    );
    return threads[begun.length] ?? 'none';
  }

  #partOf(task: RunningTask): Part {
    const known = this.#parts.get(task.identity.id);
    if (known !== undefined) return known;
    const [name, device] = task.identity.name.split(' ');
    const callbackOf = name === 'invalidate' && device !== undefined ? device : 'none';
    const part: Part = { lab: task, live: new Set(), callbackOf, thread: 'none' };
    this.#parts.set(task.identity.id, part);
    return part;
  }

  #tasksOfLab(): RunningTask[] {
    const { scheduler } = this.#run;
    return [...scheduler.readyTasks(), ...scheduler.blockedTasks()];
  }

  /** The live task of `part` that stands at `at`, once it can go on. */
  async #liveAt(part: Part, at: string): Promise<LiveTask> {
    const found = (): LiveTask | undefined =>
      this.#live().find(
        (live) => part.live.has(keyOf(live)) && placeOf(live) === at && isReady(live),
      );
    await this.#until(
      () => found() !== undefined,
      [part],
      part,
      () => `${nameOf(part.lab)} should go on at ${at}`,
    );
    return found() as LiveTask;
  }

  async #stepLive(live: LiveTask): Promise<void> {
    if (live.where === 'client') {
      this.#options.stage.gates().get(live.actor)?.grant(live.task);
      return;
    }
    if ((await this.#options.hand.step(live.task.id)) === 'not ready') {
      throw this.#notForced(`task ${live.task.name} of ${live.task.actor} is not ready any more`);
    }
  }

  /** Whatever has to happen so that each of `parts` stands live where it stands in the lab. */
  #settle(parts: readonly Part[], current: Part): Promise<void> {
    const settled = (part: Part): boolean => {
      const { lab, thread } = part;
      if (lab.state === 'done') return thread === 'none' || thread.state === 'ended';
      const { at } = lab.pending;
      if (at === FAIR_TURN || (part.live.size === 0 && lab.identity.parent === 'none')) return true;
      return this.#live().some((live) => part.live.has(keyOf(live)) && placeOf(live) === at);
    };
    return this.#until(
      () => parts.every(settled),
      parts,
      current,
      () => {
        const [late] = parts.filter((part) => !settled(part));
        return `${nameOf((late ?? current).lab)} should come to ${(late ?? current).lab.pending.at}`;
      },
    );
  }

  /** What memory went through must be the same, one by one. */
  #sameMemory(): Promise<void> {
    const seen = () =>
      this.#options.seen.map(comparableEvent).filter((comparable) => comparable !== 'nothing');
    const differs = (): number =>
      seen().findIndex(
        (comparable, at) => at < this.#expected.length && comparable !== this.#expected[at],
      );
    return this.#until(
      () => seen().length >= this.#expected.length && differs() < 0,
      [],
      'none',
      () => {
        const at = differs();
        if (at >= 0) return `live ${seen()[at]}, in the lab ${this.#expected[at]}`;
        return `not seen live: ${this.#expected[seen().length]}`;
      },
    );
  }

  /** Takes the steps of the connection until `reached`. Throws: NotForced after patienceMs. */
  async #until(
    reached: () => boolean,
    parts: readonly Part[],
    current: Part | 'none',
    complaint: () => string,
  ): Promise<void> {
    const { hand, patienceMs } = this.#options;
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      await hand.look();
      if (current !== 'none') this.#adopt(parts, current);
      this.#complainOfClients();
      if (reached()) return;
      if (await this.#stepConnection()) continue;
      if (performance.now() > giveUpAt) throw this.#notForced(`${complaint()}; ${this.#where()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** What a driver or a client threw is said as it is. */
  #complainOfClients(): void {
    for (const { lab, thread } of this.#parts.values()) {
      if (thread === 'none' || thread.error === 'nothing') continue;
      if (thread.error instanceof UsageError) throw thread.error;
      const why = thread.error instanceof Error ? thread.error.message : String(thread.error);
      throw this.#notForced(`the client ${lab.identity.actor} threw: ${why}`);
    }
  }

  /** New live tasks are the doing of `current`, or the callbacks that the lab has begun with this step. */
  #adopt(parts: readonly Part[], current: Part): void {
    for (const live of this.#live()) {
      const key = keyOf(live);
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      const part = parts.find(
        ({ callbackOf, live: own }) =>
          live.where === 'client' && callbackOf === live.actor && own.size === 0,
      );
      (part ?? current).live.add(key);
    }
  }

  /** One step that the lab does not have. False if there is none to take. */
  async #stepConnection(): Promise<boolean> {
    const { hand, stage } = this.#options;
    for (const task of hand.tasks) {
      if (task.ready && OF_THE_CONNECTION.test(task.at))
        return (await hand.step(task.id)) === 'stepped';
    }
    // A callback that the lab runs inside of the task that asks.
    for (const live of this.#live()) {
      if (live.where !== 'client' || placeOf(live) !== 'task.start') continue;
      const owner = [...this.#parts.values()].find((part) => part.live.has(keyOf(live)));
      if (owner === undefined || owner.callbackOf === live.actor) continue;
      stage.gates().get(live.actor)?.grant(live.task);
      return true;
    }
    return false;
  }

  #live(): LiveTask[] {
    const { hand, stage } = this.#options;
    const server = hand.tasks.map((task): LiveTask => ({ where: 'server', task }));
    const clients = [...stage.gates()].flatMap(([actor, gate]) =>
      gate.tasks().map((task): LiveTask => ({ where: 'client', actor, task })),
    );
    return [...server, ...clients];
  }

  #where(): string {
    const places = this.#live()
      .map(
        (live) => `${live.where === 'server' ? live.task.actor : live.actor} at ${placeOf(live)}`,
      )
      .join(', ');
    return `live: ${places === '' ? 'no actor does anything' : places}`;
  }

  #notForced(message: string): NotForced {
    return new NotForced(this.#step, message);
  }
}

function keyOf(live: LiveTask): string {
  return live.where === 'server'
    ? `server ${live.task.id}`
    : `${live.actor} ${live.task.identity.id}`;
}

function placeOf(live: LiveTask): string {
  return live.where === 'server' ? live.task.at : live.task.pending.at;
}

function isReady(live: LiveTask): boolean {
  return live.where === 'server' ? live.task.ready : live.task.state === 'ready';
}

function whereWords(live: LiveTask): string {
  return live.where === 'server' ? 'server' : `client ${live.actor}`;
}

function nameOf({ identity }: RunningTask): string {
  return `${identity.actor} (${identity.name})`;
}

// What has to be the same in the lab and live: changes of memory, in their order. Numbers of the machine are not.

/** `mirror reader0 0x100200 mapped`, or 'nothing' for an event that the two worlds report differently. */
function comparableEvent(event: Event): string | 'nothing' {
  switch (event.kind) {
    case 'pte':
      return `pte ${page(event.page)} ${event.from.state} -> ${event.to.state}`;
    case 'mirror':
      return `mirror of ${event.device} ${page(event.page)} ${event.from.state} -> ${event.to.state}`;
    case 'device-access':
      return `${event.mode} by ${event.device} ${page(event.page)} = ${event.value}`;
    case 'cpu-access':
      return `${event.mode} by ${event.actor} ${page(event.page)} = ${event.value}`;
    case 'invalidate_range_start':
    case 'invalidate_range_end':
      return `${event.kind} ${page(event.first)}`;
    default:
      return 'nothing';
  }
}

function page(number: number): string {
  return `0x${number.toString(16)}`;
}
