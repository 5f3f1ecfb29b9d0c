import type { ObjectId } from '../task/object-id.ts';

/** A power of two. More waiters than this share buckets: a wake then passes a few that wait for something else. */
const BUCKETS = 64;

/**
 * Tasks that wait, found by what they wait on, in the order in which they came. A Map from objects to lists would
 * do; but it grows, shrinks and leaves a table behind each time, and most objects are waited on once, by one task.
 */
export class Parking<Waiter> {
  readonly #objectOf: (waiter: Waiter) => ObjectId;
  readonly #buckets: (Waiter[] | undefined)[] = [];

  /** `objectOf` must say the same for as long as a waiter is parked. */
  constructor(objectOf: (waiter: Waiter) => ObjectId) {
    this.#objectOf = objectOf;
  }

  add(waiter: Waiter): void {
    const bucket = bucketOf(this.#objectOf(waiter));
    const waiters = this.#buckets[bucket];
    if (waiters !== undefined) waiters.push(waiter);
    else {
      while (this.#buckets.length <= bucket) this.#buckets.push(undefined);
      this.#buckets[bucket] = [waiter];
    }
  }

  /** Asks each task that waits on `object` whether it goes on; one that does is no longer parked. */
  release(object: ObjectId, goesOn: (waiter: Waiter) => boolean): void {
    const waiters = this.#buckets[bucketOf(object)];
    if (waiters === undefined) return;
    let stay = 0;
    for (let at = 0; at < waiters.length; at += 1) {
      const waiter = waiters[at] as Waiter;
      if (this.#objectOf(waiter) === object && goesOn(waiter)) continue;
      waiters[stay] = waiter;
      stay += 1;
    }
    // Not by `length`, which would free the array, to be made anew for the next waiter.
    while (waiters.length > stay) waiters.pop();
  }

  /** Everybody, in no useful order. */
  all(): Waiter[] {
    return this.#buckets.flatMap((waiters) => waiters ?? []);
  }
}

/** The low bits of the index: running numbers spread evenly. */
function bucketOf(object: ObjectId): number {
  return object & (BUCKETS - 1);
}
