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

interface Numbered extends PlacedTouch {
  readonly number: number;
}

/** Numbers the placed touches of one search. */
export class TouchNumbers {
  /** Few for each object. */
  readonly #byObject = new Map<ObjectId, Numbered[]>();
  readonly #touches: PlacedTouch[] = [];

  numberOf(place: TaskPlace, { object, mode }: Touch, locks: readonly ObjectId[]): number {
    let known = this.#byObject.get(object);
    if (known === undefined) {
      known = [];
      this.#byObject.set(object, known);
    }
    for (const one of known) {
      if (one.place === place && one.mode === mode && areSame(one.locks, locks)) return one.number;
    }
    const made: Numbered = { place, object, mode, locks, number: this.#touches.length };
    known.push(made);
    this.#touches.push(made);
    return made.number;
  }

  /** Numbers are given from 0 on. */
  get size(): number {
    return this.#touches.length;
  }

  touchOf(number: number): PlacedTouch {
    return this.#touches[number] as PlacedTouch;
  }

  /** The touches of `set`. */
  touchesIn(set: TouchSet): PlacedTouch[] {
    return numbersIn(set).map((number) => this.touchOf(number));
  }
}

export function numbersIn(set: TouchSet): number[] {
  const found: number[] = [];
  for (let at = 0; at < set.length; at += 1) {
    for (let left = set[at] ?? 0; left !== 0; left &= left - 1) {
      found.push(at * BITS + BITS - 1 - Math.clz32(left & -left));
    }
  }
  return found;
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

function areSame(a: readonly ObjectId[], b: readonly ObjectId[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
