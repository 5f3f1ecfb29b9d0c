/**
 * What happens in the part of the search behind a state: which task touches which object, and how. Where a state is
 * met again, its part is not searched again, but what happens there may still race with what led to it this time.
 */
import type { Touch, TouchMode } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { TaskPlace } from './task-places.ts';

export interface PlacedTouch {
  readonly place: TaskPlace;
  readonly object: ObjectId;
  readonly mode: TouchMode;
  /** Locks under which it is done: see locksDuring(). */
  readonly locks: readonly ObjectId[];
}

/** A set of placed touches, as bits: see TouchNumbers. */
export type TouchSet = Uint32Array;

export const NO_TOUCHES: TouchSet = new Uint32Array(0);

const BITS = 32;

/** Numbers the placed touches of one search. */
export class TouchNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #touches: PlacedTouch[] = [];

  numberOf(place: TaskPlace, { object, mode }: Touch, locks: readonly ObjectId[]): number {
    const key = `${place} ${object} ${mode} ${locks}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#touches.length;
    this.#numbers.set(key, number);
    this.#touches.push({ place, object, mode, locks });
    return number;
  }

  /** The touches of `set`. */
  touchesIn(set: TouchSet): PlacedTouch[] {
    const found: PlacedTouch[] = [];
    for (const [at, word] of set.entries()) {
      for (let left = word; left !== 0; left &= left - 1) {
        const bit = BITS - 1 - Math.clz32(left & -left);
        found.push(this.#touches[at * BITS + bit] as PlacedTouch);
      }
    }
    return found;
  }
}

/** `set` with `number` in it: the same set if it was, or if there is room. */
export function withTouch(set: TouchSet, number: number): TouchSet {
  const at = Math.floor(number / BITS);
  const grown = at < set.length ? set : resized(set, at + 1);
  grown[at] = (grown[at] ?? 0) | (1 << (number % BITS));
  return grown;
}

/** All of both, in `into` if there is room. */
export function union(into: TouchSet, other: TouchSet): TouchSet {
  const grown = other.length <= into.length ? into : resized(into, other.length);
  for (const [at, word] of other.entries()) grown[at] = (grown[at] ?? 0) | word;
  return grown;
}

function resized(set: TouchSet, words: number): TouchSet {
  const grown = new Uint32Array(Math.max(words, set.length * 2));
  grown.set(set);
  return grown;
}
