/**
 * Holds: the server may ask a client to stop a task after its next call of a named kernel function, until it is
 * released. So an order of events between processes is forced by the protocol, and not by sleeping.
 *
 * Every hold stops one task once. Two holds after the same function stop the next two tasks that get there.
 */
import { serial, type TaskContext, wake } from '../../server/task/context.ts';
import { type ObjectId, objectId } from '../../server/task/object-id.ts';
import { HOLD_OWNERS } from '../../server/task/object-owners.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';

/** Holds armed or standing in one client. One more is refused. */
export const HOLDS_MAX = 64;

interface Hold {
  /** A kernel function in its own spelling: migrate_vma_setup. */
  readonly after: string;
  readonly object: ObjectId;
  state: 'armed' | 'held' | 'released';
}

export class Holds {
  readonly #context: TaskContext;
  readonly #onHeld: (after: string) => void;
  readonly #onWent: () => void;
  #holds: Hold[] = [];

  /** `onHeld` is called when a task has arrived at its hold and stands, `onWent` when all go on. */
  constructor(context: TaskContext, onHeld: (after: string) => void, onWent: () => void) {
    this.#context = context;
    this.#onHeld = onHeld;
    this.#onWent = onWent;
  }

  /** The next task that returns from `after` will stand still. */
  arm(after: string): 'armed' | 'too-many' {
    if (this.#holds.length === HOLDS_MAX) return 'too-many';
    const object = objectId('hold', HOLD_OWNERS.heldTasks, serial(this.#context));
    this.#holds.push({ after, object, state: 'armed' });
    return 'armed';
  }

  /** Everybody goes on; a hold that was not reached is taken back. */
  go(): void {
    const holds = this.#holds;
    this.#holds = [];
    for (const hold of holds) {
      hold.state = 'released';
      wake(this.#context, hold.object);
    }
    this.#onWent();
  }

  /** Stops the running task if a hold is armed for `kernelFunction`. Yields: only then. */
  *pass(kernelFunction: string): Task<void> {
    if (this.#holds.length === 0) return;
    const hold = this.#holds.find(
      ({ after, state }) => after === kernelFunction && state === 'armed',
    );
    if (hold === undefined) return;
    hold.state = 'held';
    this.#onHeld(kernelFunction);
    yield waitUntil('hold.go', hold.object, () => hold.state === 'released');
  }
}
