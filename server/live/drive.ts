/**
 * How a machine is driven: by itself, or step by step, by hand or by a timer. All of it reaches the machine as inbound
 * events, so a recording has each step and replays it.
 */
import type { Inbound } from '../machine/remote/inbound.ts';
import type { TaskList } from '../machine/task-list.ts';
import { guarded } from './guarded.ts';

/** Steps a second; 'full' is as fast as they come. */
export type Speed = number | 'full';

/** Milliseconds between two looks of the timer; above one step for each look, a look takes several. */
const LOOK_MS_MIN = 20;

export interface DrivenMachine {
  accept(inbound: Inbound): void;
  tasks(): TaskList;
}

export class Drive {
  readonly #machine: DrivenMachine;
  readonly #onThrow: (thrown: unknown) => void;
  #paused = false;
  #speed: Speed = 'full';
  /** What the machine was set to last. */
  #mode: 'running' | 'stepped' = 'running';
  #timer: NodeJS.Timeout | 'none' = 'none';
  /** Steps that the timer owes; it starts none without a whole one. */
  #due = 0;

  /** `onThrow` gets what the machine throws at the timer. */
  constructor(machine: DrivenMachine, onThrow: (thrown: unknown) => void) {
    this.#machine = machine;
    this.#onThrow = onThrow;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get speed(): Speed {
    return this.#speed;
  }

  get mode(): 'running' | 'stepped' {
    return this.#mode;
  }

  pause(): void {
    this.#paused = true;
    this.#apply();
  }

  resume(): void {
    this.#paused = false;
    this.#apply();
  }

  setSpeed(speed: Speed): void {
    this.#speed = speed;
    this.#apply();
  }

  /** One step of the task, or of the next. Returns why not, if not. */
  step(task: number | 'next'): 'stepped' | 'running' | 'not ready' {
    if (this.#mode === 'running') return 'running';
    const ready = this.#ready();
    const found = task === 'next' ? ready.length > 0 : ready.some(({ id }) => id === task);
    if (!found) return 'not ready';
    this.#machine.accept({ kind: 'step', task });
    return 'stepped';
  }

  /** As an earlier server drove it; `mode` is what the machine was set to last. */
  wasDriven({ paused, speed, mode }: Pick<Drive, 'paused' | 'speed' | 'mode'>): void {
    this.#paused = paused;
    this.#speed = speed;
    this.#mode = mode;
    this.#apply();
  }

  /** The machine is another one, and set to `mode`. */
  machineIsNew(mode: 'running' | 'stepped'): void {
    this.#mode = mode;
    this.#apply();
  }

  /** Whether clients have to wait for the hand that drives, and not it for them. */
  keepsWaiting(): boolean {
    if (this.#mode === 'running') return false;
    return this.#paused || this.#ready().length > 0;
  }

  close(): void {
    this.#stopTimer();
  }

  #apply(): void {
    const mode = !this.#paused && this.#speed === 'full' ? 'running' : 'stepped';
    if (mode !== this.#mode) {
      this.#mode = mode;
      this.#machine.accept({ kind: mode === 'running' ? 'resume' : 'pause' });
    }
    this.#stopTimer();
    if (!this.#paused && this.#speed !== 'full') this.#startTimer(this.#speed);
  }

  #startTimer(stepsPerSecond: number): void {
    const lookMs = Math.max(LOOK_MS_MIN, 1_000 / stepsPerSecond);
    this.#due = 0;
    const steps = (stepsPerSecond * lookMs) / 1_000;
    this.#timer = setInterval(() => guarded(() => this.#look(steps), this.#onThrow), lookMs);
    this.#timer.unref();
  }

  #stopTimer(): void {
    if (this.#timer !== 'none') clearInterval(this.#timer);
    this.#timer = 'none';
  }

  #look(steps: number): void {
    this.#due += steps;
    while (this.#due >= 1 && this.step('next') === 'stepped') this.#due -= 1;
    // Time in which no task could go is not made up for.
    this.#due = Math.min(this.#due, 1);
  }

  #ready(): TaskList {
    return this.#machine.tasks().filter(({ state }) => state === 'ready');
  }
}
