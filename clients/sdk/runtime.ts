/**
 * A scheduler of the client's own, in which the driver's verbs and callbacks are tasks. The event loop comes
 * between them: a frame that arrives changes something, and turn() runs the tasks that can go on because of it, first
 * come, first served, until everybody waits for the next frame.
 */
import { Scheduler } from '../../server/scheduler/scheduler.ts';
import { newTaskContext, serial, type TaskContext, wake } from '../../server/task/context.ts';
import { objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import type { StepGate } from './step-gate.ts';

/** Steps of one turn. A task that needs more goes on after the event loop had a chance. */
export const STEPS_PER_TURN_MAX = 100_000;

export type TaskOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

export class Runtime {
  readonly context: TaskContext = newTaskContext();
  readonly #scheduler = new Scheduler(this.context);
  readonly #afterTurn: () => void;
  readonly #gate: StepGate | 'none';
  #turn: 'none' | 'under-way' | 'once-more' = 'none';

  /**
   * `afterTurn` is called whenever all tasks wait again: the time to send what was gathered. With a gate, its player
   * else decides who takes a step.
   */
  constructor(afterTurn: () => void, gate: StepGate | 'none' = 'none') {
    this.#afterTurn = afterTurn;
    this.#gate = gate;
    if (gate !== 'none') gate.bind({ scheduler: this.#scheduler, turn: () => this.turn() });
  }

  /**
   * Starts a task for `actor` and runs it as far as it gets. `whenDone` is called in its last step, with the value
   * that it returned or the error that it threw.
   */
  start<T>(
    actor: string,
    name: string,
    task: Task<T>,
    whenDone: (outcome: TaskOutcome<T>) => void,
  ): void {
    this.#scheduler.spawn(actor, name, reporting(task, whenDone));
    this.turn();
  }

  /** As start(), for callers that await. */
  run<T>(actor: string, name: string, task: Task<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.start(actor, name, task, (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(outcome.error);
      });
    });
  }

  /** Blocks the running task until `promise` is settled. Yields: yes. Throws what it is rejected with. */
  *waitFor<T>(promise: Promise<T>): Task<T> {
    const settled = objectId('answer', 1, serial(this.context));
    const box: { outcome: TaskOutcome<T> | 'open' } = { outcome: 'open' };
    const settle = (outcome: TaskOutcome<T>): void => {
      box.outcome = outcome;
      wake(this.context, settled);
      this.turn();
    };
    promise.then(
      (value) => settle({ ok: true, value }),
      (error: unknown) => settle({ ok: false, error }),
    );
    yield waitUntil('promise.settled', settled, () => box.outcome !== 'open');
    if (box.outcome !== 'open' && box.outcome.ok) return box.outcome.value;
    throw box.outcome === 'open' ? new Error('not settled') : box.outcome.error;
  }

  /** Runs every task that can go on. Called inside a turn, it makes that turn look once more. */
  turn(): void {
    if (this.#turn !== 'none') {
      this.#turn = 'once-more';
      return;
    }
    for (let more = true; more; more = this.#anotherRound()) {
      this.#turn = 'under-way';
      if (this.#runReady() === 'steps-used-up') {
        setTimeout(() => this.turn(), 0);
        break;
      }
    }
    this.#turn = 'none';
    this.#afterTurn();
  }

  /** Tasks that wait: for an answer, a lock, a hold. */
  get waiting(): number {
    return this.#scheduler.blockedTasks().length;
  }

  /** Whether no task is under way. */
  get rests(): boolean {
    return this.waiting === 0 && this.#scheduler.queuedTasks().length === 0;
  }

  #runReady(): 'idle' | 'steps-used-up' {
    if (this.#gate === 'none') return this.#scheduler.runFirstCome(STEPS_PER_TURN_MAX);
    // Takes in what the last frame has changed.
    this.#scheduler.runFirstCome(0);
    for (let steps = 0; steps < STEPS_PER_TURN_MAX; steps += 1) {
      const task = this.#gate.choose(this.#scheduler.readyTasks());
      if (task === 'none') return 'idle';
      this.#scheduler.step(task);
    }
    return 'steps-used-up';
  }

  #anotherRound(): boolean {
    return this.#turn === 'once-more';
  }
}

/** A task that never throws: what went wrong in a driver must not stop the other tasks. */
function* reporting<T>(task: Task<T>, whenDone: (outcome: TaskOutcome<T>) => void): Task<void> {
  let outcome: TaskOutcome<T>;
  try {
    outcome = { ok: true, value: yield* task };
  } catch (error) {
    outcome = { ok: false, error };
  }
  whenDone(outcome);
}
