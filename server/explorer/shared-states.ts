/**
 * What searches in several threads tell each other, in memory that all of them see. Each writes a log of its own, which
 * only grows; the others read it as far as it is said to be written. Where a log is full, no more is told: the others
 * then find it themselves.
 */

import type { TouchMode } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { Known, KnownStates } from './known-states.ts';
import type { Meanings, OtherSearches } from './other-searches.ts';
import { NO_TOUCHES, numbersIn, type TouchSet, withTouch } from './subtree-touches.ts';
import type { Order } from './symmetry.ts';
import { TouchStore } from './touch-store.ts';

/** Words of a log at first, and at most. */
const WORDS_AT_FIRST = 1 << 16;
const WORDS_MAX = 1 << 27;
/** Decisions of one way that others can see. */
const WAY_MAX = 1 << 12;
const BYTES = Uint32Array.BYTES_PER_ELEMENT;
const WRITTEN = 0;
const STANDING = 1;
const WAY_AT = 8;
const LOG_AT = WAY_AT + WAY_MAX * Float64Array.BYTES_PER_ELEMENT;
const HIGH = 0x1_0000_0000;
/** No key is below 0. */
const NOWHERE = -1;

/** Kinds of records: a word of these, the number of words that follow, and those. */
const RECORD = { touch: 1, behind: 2, order: 3, state: 4 } as const;

/** The memory of one search. */
export type StatesLog = SharedArrayBuffer;

export function newStatesLog(wordsMax = WORDS_MAX): StatesLog {
  const words = Math.min(WORDS_AT_FIRST, wordsMax);
  const maxByteLength = LOG_AT + wordsMax * BYTES;
  return new SharedArrayBuffer(LOG_AT + words * BYTES, { maxByteLength });
}

export class SharedStates implements OtherSearches {
  readonly #own: LogWriter;
  readonly #before: readonly LogReader[];
  readonly #others: readonly LogReader[];

  /** Of the search number `own` of those whose logs these are. */
  constructor(logs: readonly StatesLog[], own: number) {
    this.#own = new LogWriter(logs[own] as StatesLog);
    const readers = logs.map((log) => new LogReader(log));
    this.#before = readers.slice(0, own);
    this.#others = readers.filter((_, at) => at !== own);
  }

  join(meanings: Meanings): void {
    this.#own.meanings = meanings;
    for (const other of this.#others) other.meanings = meanings;
  }

  hear(known: KnownStates): boolean {
    let heard = false;
    for (const other of this.#others) if (other.readInto(known)) heard = true;
    return heard;
  }

  tell(key: number, known: Known): void {
    this.#own.tell(key, known);
  }

  isOpen(key: number, whose: 'any' | 'those before'): boolean {
    return (whose === 'any' ? this.#others : this.#before).some((other) => other.isOpen(key));
  }

  stand(count: number, where: number | 'nowhere' | 'as before'): void {
    this.#own.stand(count, where);
  }
}

class LogWriter {
  meanings: Meanings | 'none' = 'none';
  readonly #log: StatesLog;
  readonly #wordsMax: number;
  readonly #head: Int32Array;
  readonly #way: Float64Array;
  #words: Uint32Array;
  #used = 0;
  #isFull = false;
  #touches = 0;
  readonly #sets = new TouchStore();
  readonly #setNumbers = new Map<number, number>();
  readonly #orders = new Map<Order, number>();

  constructor(log: StatesLog) {
    this.#log = log;
    this.#wordsMax = (log.maxByteLength - LOG_AT) / BYTES;
    this.#head = new Int32Array(log, 0, 2);
    this.#way = new Float64Array(log, WAY_AT, WAY_MAX);
    this.#words = new Uint32Array(log, LOG_AT);
  }

  stand(count: number, where: number | 'nowhere' | 'as before'): void {
    if (where !== 'as before' && count <= WAY_MAX) {
      this.#way[count - 1] = where === 'nowhere' ? NOWHERE : where;
    }
    Atomics.store(this.#head, STANDING, Math.min(count, WAY_MAX));
  }

  tell(key: number, { asleep, behind, order }: Known): void {
    const set = this.#setNumber(behind);
    const words = [key % HIGH, Math.floor(key / HIGH), set, this.#orderNumber(order)];
    for (const task of asleep) words.push(task % HIGH, Math.floor(task / HIGH));
    this.#write(RECORD.state, words);
    Atomics.store(this.#head, WRITTEN, this.#used);
  }

  #setNumber(behind: TouchSet): number {
    const { numbers, places } = this.meanings as Meanings;
    const at = this.#sets.add(behind);
    const known = this.#setNumbers.get(at);
    if (known !== undefined) return known;
    for (; this.#touches < numbers.size; this.#touches += 1) {
      const { place, ...rest } = numbers.touchOf(this.#touches);
      const text = JSON.stringify({ ...rest, path: places.pathOf(place) });
      this.#write(
        RECORD.touch,
        [...text].map((letter) => letter.codePointAt(0) ?? 0),
      );
    }
    this.#write(RECORD.behind, this.#sets.at(at));
    this.#setNumbers.set(at, this.#setNumbers.size);
    return this.#setNumbers.size - 1;
  }

  #orderNumber(order: Order): number {
    const known = this.#orders.get(order);
    if (known !== undefined) return known;
    this.#write(RECORD.order, order);
    this.#orders.set(order, this.#orders.size);
    return this.#orders.size - 1;
  }

  #write(kind: number, words: ArrayLike<number>): void {
    const end = this.#used + 2 + words.length;
    if (end > this.#wordsMax) this.#isFull = true;
    if (this.#isFull) return;
    if (end > this.#words.length) {
      const size = Math.min(this.#wordsMax, Math.max(end, this.#words.length * 2));
      this.#log.grow(LOG_AT + size * BYTES);
      this.#words = new Uint32Array(this.#log, LOG_AT);
    }
    this.#words[this.#used] = kind;
    this.#words[this.#used + 1] = words.length;
    this.#words.set(words, this.#used + 2);
    this.#used = end;
  }
}

interface ToldTouch {
  readonly path: readonly string[];
  readonly object: ObjectId;
  readonly mode: TouchMode;
  readonly locks: readonly ObjectId[];
}

class LogReader {
  meanings: Meanings | 'none' = 'none';
  readonly #head: Int32Array;
  readonly #way: Float64Array;
  /** Of a buffer that grows: so does this. */
  readonly #words: Uint32Array;
  #read = 0;
  readonly #touches: number[] = [];
  readonly #sets: TouchSet[] = [];
  readonly #orders: Order[] = [];

  constructor(log: StatesLog) {
    this.#head = new Int32Array(log, 0, 2);
    this.#way = new Float64Array(log, WAY_AT, WAY_MAX);
    this.#words = new Uint32Array(log, LOG_AT);
  }

  isOpen(key: number): boolean {
    const count = Atomics.load(this.#head, STANDING);
    for (let at = 0; at < count; at += 1) if (this.#way[at] === key) return true;
    return false;
  }

  readInto(known: KnownStates): boolean {
    const written = Atomics.load(this.#head, WRITTEN);
    if (this.#read === written) return false;
    while (this.#read < written) {
      const [kind = 0, length = 0] = this.#words.subarray(this.#read, this.#read + 2);
      const begin = this.#read + 2;
      this.#take(kind, this.#words.subarray(begin, begin + length), known);
      this.#read = begin + length;
    }
    return true;
  }

  #take(kind: number, words: Uint32Array, known: KnownStates): void {
    const { numbers, places, owners } = this.meanings as Meanings;
    if (kind === RECORD.state) {
      const [low = 0, high = 0, set = 0, order = 0] = words;
      const asleep = new Set<number>();
      for (let at = 4; at < words.length; at += 2) {
        asleep.add((words[at] ?? 0) + (words[at + 1] ?? 0) * HIGH);
      }
      const key = low + high * HIGH;
      const before = known.get(key)?.asleep;
      // Each covers what begins with no task that slept; what both cover is not more than that.
      if (before?.isSubsetOf(asleep) === true) return;
      if (before !== undefined && !asleep.isSubsetOf(before)) return;
      const behind = this.#sets[set] as TouchSet;
      known.set(key, { asleep, behind, order: this.#orders[order] as Order });
    } else if (kind === RECORD.behind) {
      let set = NO_TOUCHES;
      for (const number of numbersIn(words)) set = withTouch(set, this.#touches[number] as number);
      this.#sets.push(set);
    } else if (kind === RECORD.order) this.#orders.push(owners.orderOf([...words]));
    else {
      const told = JSON.parse(String.fromCodePoint(...words)) as ToldTouch;
      let place = places.placeOf('none', told.path[0] ?? '');
      for (const name of told.path.slice(1)) place = places.placeOf(place, name);
      this.#touches.push(numbers.numberOf(place, told, told.locks));
    }
  }
}
