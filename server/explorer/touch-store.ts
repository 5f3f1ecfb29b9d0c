/** Touch sets, each kept once, in one block of memory: most states have the same behind them as another. */
import type { TouchSet } from './subtree-touches.ts';

/** Where a set stands. */
export type StoredTouches = number;

const WORDS_AT_FIRST = 1 << 10;
const SLOTS_AT_FIRST = 1 << 8;
const FREE = 0xffff_ffff;
const BYTES = Uint32Array.BYTES_PER_ELEMENT;

export class TouchStore {
  /** The number of words of a set, and then these. */
  #words = new Uint32Array(WORDS_AT_FIRST);
  #used = 0;
  /** Where sets stand, found by their hash; open addressing. */
  #slots = new Uint32Array(SLOTS_AT_FIRST).fill(FREE);
  #count = 0;

  /** Bytes that are taken. */
  get bytes(): number {
    return this.#words.byteLength + this.#slots.byteLength;
  }

  /** Bytes by which it grows if `set` is added, at most. */
  growthFor(set: TouchSet): number {
    const used = this.#used + 1 + set.length;
    const { byteLength, length } = this.#words;
    const words = used > length ? Math.max(byteLength, (used - length) * BYTES) : 0;
    return words + ((this.#count + 1) * 2 > this.#slots.length ? this.#slots.byteLength : 0);
  }

  add(set: TouchSet): StoredTouches {
    const length = lengthOf(set);
    let slot = hashOf(set, length) & (this.#slots.length - 1);
    for (; this.#slots[slot] !== FREE; slot = (slot + 1) & (this.#slots.length - 1)) {
      const at = this.#slots[slot] as number;
      if (this.#isAt(at, set, length)) return at;
    }
    const at = this.#append(set, length);
    this.#slots[slot] = at;
    this.#count += 1;
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return at;
  }

  /** Not to be changed. */
  at(where: StoredTouches): TouchSet {
    return this.#words.subarray(where + 1, where + 1 + (this.#words[where] ?? 0));
  }

  #isAt(at: number, set: TouchSet, length: number): boolean {
    if (this.#words[at] !== length) return false;
    for (let word = 0; word < length; word += 1) {
      if (this.#words[at + 1 + word] !== set[word]) return false;
    }
    return true;
  }

  #append(set: TouchSet, length: number): number {
    const at = this.#used;
    this.#used = at + 1 + length;
    if (this.#used > this.#words.length) {
      const grown = new Uint32Array(Math.max(this.#words.length * 2, this.#used));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[at] = length;
    this.#words.set(set.subarray(0, length), at + 1);
    return at;
  }

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2).fill(FREE);
    for (const at of old) {
      if (at === FREE) continue;
      const set = this.at(at);
      let slot = hashOf(set, set.length) & (this.#slots.length - 1);
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = at;
    }
  }
}

/** Without the words behind the last that says something. */
function lengthOf(set: TouchSet): number {
  let length = set.length;
  while (length > 0 && set[length - 1] === 0) length -= 1;
  return length;
}

function hashOf(set: TouchSet, length: number): number {
  let hash = length;
  for (let at = 0; at < length; at += 1) {
    hash = Math.imul(hash ^ (set[at] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
