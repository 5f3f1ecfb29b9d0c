/**
 * What stands at each object, as a number. Where the world can say it, that is its content; where it cannot, it is
 * who wrote last and what that task had learnt by then.
 */
import type { Touch, TouchMode } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { WorldContents } from './explored.ts';
import { addTo, fold, foldText, keyOf, type Lanes, newLanes, takeFrom } from './lanes.ts';
import type { ObjectOwners } from './symmetry.ts';

/** Takes back one change. */
export type Undo = () => void;

/** Sums of numbers stay exact below it. */
const COUNTED_MAX = 2 ** 52;

export class ObjectValues {
  /** The world of this execution. */
  world: WorldContents | 'none' = 'none';
  /** By index of the actor (see ObjectOwners); 0 is what all share. Objects that are as at first are not in it. */
  readonly sums: Lanes[];
  readonly #owners: ObjectOwners;
  readonly #pristine: WorldContents | 'none';
  readonly #atFirst = new Map<ObjectId, number>();
  readonly #values = new Map<ObjectId, number>();
  /** Of locks: tasks that hold it, alone or together. */
  readonly #holders = new Map<ObjectId, number>();
  readonly #joins = new Set<ObjectId>();
  /** Whether the world can say what stands there. */
  readonly #known = new Map<ObjectId, boolean>();
  /** What each object adds to the sums. */
  readonly #parts = new Map<ObjectId, Lanes>();
  /** What stood at first at the objects of interchangeable actors, by their common name. */
  readonly #common = new Map<string, number>();
  #asymmetric = false;

  constructor(owners: ObjectOwners, pristine: WorldContents | 'none') {
    this.#owners = owners;
    this.#pristine = pristine;
    this.sums = Array.from({ length: owners.size }, () => ({ low: 0, high: 0 }));
  }

  /** Actors that are said to be interchangeable do not begin alike. */
  get asymmetric(): boolean {
    return this.#asymmetric;
  }

  /** `object` only says that tasks have ended: what they came to is part of the state elsewhere. */
  addJoin(object: ObjectId): void {
    this.#joins.add(object);
  }

  isJoin(object: ObjectId): boolean {
    return this.#joins.has(object);
  }

  /** What stands there at this moment. */
  look(object: ObjectId): number {
    if (this.world === 'none') return this.#valueOf(object);
    const learnable = this.world.learnableAt(object);
    const content = learnable === 'the content' ? this.world.contentOf(object) : learnable;
    return content === 'unknown' ? this.#valueOf(object) : asNumber(content);
  }

  /** What a task can have learnt by `touch`. `value` is what stood there before the step. */
  learntFrom({ object, mode }: Touch, value: number | 'as written last'): number | 'nothing' {
    if (this.#joins.has(object)) return 'nothing';
    const found = value === 'as written last' ? this.#valueOf(object) : value;
    switch (mode) {
      case 'watch':
      case 'await':
      case 'end':
      case 'ended':
      case 'note':
      case 'release-read':
      case 'release-write':
      case 'downgrade':
      case 'enter':
      case 'again':
      case 'hold':
        return 'nothing';
      case 'add':
        // Counting alone teaches nothing, but a task that counts down may see that nothing is left.
        return this.#isKnown(object) ? found : 'nothing';
      case 'read':
      case 'write': {
        const held = (this.#holders.get(object) ?? 0) > 0;
        return held ? found + 1 : found;
      }
      case 'raise':
      case 'lower':
      case 'acquire-read':
      case 'acquire-write':
        return found;
    }
  }

  /** `touch` was done by a task that has learnt `learnt`. */
  wrote({ object, mode }: Touch, learnt: Lanes, undo: Undo[]): void {
    if (LOOKS_ONLY.has(mode) || this.#joins.has(object)) return;
    const change = HOLDERS[mode];
    if (change !== undefined) this.#hold(object, change, undo);
    // A lock that is announced to be tried is not written.
    else if (this.#holders.has(object)) return;
    this.#set(object, this.#after(object, mode, learnt), undo);
  }

  #valueOf(object: ObjectId): number {
    return this.#values.get(object) ?? this.#first(object);
  }

  #isKnown(object: ObjectId): boolean {
    let known = this.#known.get(object);
    if (known === undefined) {
      known = this.#pristine !== 'none' && this.#pristine.contentOf(object) !== 'unknown';
      this.#known.set(object, known);
    }
    return known;
  }

  #first(object: ObjectId): number {
    const known = this.#atFirst.get(object);
    if (known !== undefined) return known;
    const content = this.#pristine === 'none' ? 'unknown' : this.#pristine.contentOf(object);
    const value = content === 'unknown' ? 0 : asNumber(content);
    this.#atFirst.set(object, value);
    const { index, name } = this.#owners.ofObject(object);
    if (index !== 0) {
      const key = `${this.#owners.groupOf(index)} ${name}`;
      if (value !== (this.#common.get(key) ?? value)) this.#asymmetric = true;
      this.#common.set(key, value);
    }
    return value;
  }

  #hold(object: ObjectId, change: number, undo: Undo[]): void {
    const before = this.#holders.get(object) ?? 0;
    this.#holders.set(object, before + change);
    undo.push(() => this.#holders.set(object, before));
  }

  #after(object: ObjectId, mode: TouchMode, learnt: Lanes): number {
    const content = this.world === 'none' ? 'unknown' : this.world.contentOf(object);
    if (content !== 'unknown') return asNumber(content);
    const before = this.#valueOf(object);
    // Taking a lock changes nothing of what it guards.
    if (mode === 'acquire-read' || mode === 'acquire-write' || mode === 'release-read')
      return before;
    const written = newLanes();
    foldText(written, mode);
    fold(written, learnt.low);
    fold(written, learnt.high);
    if (mode === 'add' || mode === 'raise' || mode === 'lower') {
      return (before + keyOf(written)) % COUNTED_MAX;
    }
    fold(written, before);
    return keyOf(written);
  }

  #set(object: ObjectId, value: number, undo: Undo[]): void {
    const had = this.#values.get(object);
    const before = this.#valueOf(object);
    const holders = this.#holders.get(object) ?? 0;
    const home = this.#owners.ofObject(object);
    const sum = this.sums[home.index] as Lanes;
    const { low, high } = sum;
    this.#values.set(object, value);
    const part = this.#parts.get(object);
    if (part !== undefined) takeFrom(sum, part);
    const now = this.#partOf(object, home.name, value, holders);
    if (now === 'as at first') this.#parts.delete(object);
    else {
      this.#parts.set(object, now);
      addTo(sum, now);
    }
    if (before === value && part === undefined && now === 'as at first') return;
    undo.push(() => {
      sum.low = low;
      sum.high = high;
      if (had === undefined) this.#values.delete(object);
      else this.#values.set(object, had);
      if (part === undefined) this.#parts.delete(object);
      else this.#parts.set(object, part);
    });
  }

  #partOf(object: ObjectId, name: number, value: number, holders: number): Lanes | 'as at first' {
    if (holders === 0 && value === this.#first(object)) return 'as at first';
    const part = newLanes();
    fold(part, name);
    fold(part, value);
    fold(part, holders);
    return part;
  }
}

const LOOKS_ONLY: ReadonlySet<TouchMode> = new Set([
  'read',
  'watch',
  'await',
  'end',
  'ended',
  'enter',
  'again',
  'hold',
]);

/** How the number of holders of a lock changes. */
const HOLDERS: { readonly [Mode in TouchMode]?: number } = {
  'acquire-read': 2,
  'release-read': -2,
  'acquire-write': 1,
  'release-write': -1,
  // From one that holds it alone to one that reads.
  downgrade: 1,
};

function asNumber(content: number | string): number {
  if (typeof content === 'number') return content;
  const lanes = newLanes();
  foldText(lanes, content);
  return keyOf(lanes);
}
