/**
 * Holds a client's tasks back at every yield point of its driver, to play a given order: one step of one
 * task at a time, when it is granted. Steps that belong to the connection (a request has its answer) take themselves.
 */
import type { RunningTask, Scheduler } from '../../server/scheduler/scheduler.ts';

/** Tasks that the kernel starts in a client. Their first step is granted, too. */
const CALLBACKS: readonly string[] = [
  'invalidate',
  'invalidate_start',
  'invalidate_finish',
  'invalidate_range_start',
  'invalidate_range_end',
  'migrate_to_ram',
  'page_free',
  'release',
];
/** Yield points of the SDK's own. */
const OF_THE_CLIENT: readonly string[] = [
  'device.open',
  'hold.go',
  'promise.settled',
  'request.slot',
  'task.start',
];

interface Gated {
  readonly scheduler: Scheduler;
  readonly turn: () => void;
}

export class StepGate {
  #gated: Gated | 'nothing yet' = 'nothing yet';
  #state: 'open' | 'shut' = 'open';
  #granted: RunningTask | 'none' = 'none';

  /** A runtime begins; after a reset of the client another one. */
  bind(gated: Gated): void {
    this.#gated = gated;
  }

  /** From here on no task takes a step of a driver by itself. */
  shut(): void {
    this.#state = 'shut';
  }

  /** Everybody goes on by himself. */
  open(): void {
    this.#state = 'open';
    if (this.#gated !== 'nothing yet') this.#gated.turn();
  }

  /** Every task of the client that has not ended, with where it stands. */
  tasks(): readonly RunningTask[] {
    if (this.#gated === 'nothing yet') return [];
    const { scheduler } = this.#gated;
    return [...scheduler.readyTasks(), ...scheduler.blockedTasks()];
  }

  /** Takes one step of a task that is ready, and all steps of the connection that follow from it. */
  grant(task: RunningTask): void {
    if (this.#gated === 'nothing yet') return;
    this.#granted = task;
    this.#gated.turn();
  }

  /** Who of `ready` goes next, or 'none' for now: for the runtime. */
  choose(ready: readonly RunningTask[]): RunningTask | 'none' {
    if (this.#state === 'open') return ready[0] ?? 'none';
    const granted = this.#granted;
    this.#granted = 'none';
    if (granted !== 'none' && ready.includes(granted)) return granted;
    return ready.find(goesByItself) ?? 'none';
  }
}

/** A kernel function (a request under way) has no moment in its name. */
function goesByItself({ identity, pending }: RunningTask): boolean {
  const { at } = pending;
  if (at === 'task.start' && CALLBACKS.includes(identity.name)) return false;
  return !at.includes('.') || OF_THE_CLIENT.includes(at);
}
