/** What a search remembers of the states that it has met, in some tens of bytes each: typed arrays, open addressing. */
import type { TouchSet } from './subtree-touches.ts';
import type { Order } from './symmetry.ts';
import { type StoredTouches, TouchStore } from './touch-store.ts';

/** What is remembered of a state. */
export interface Known {
  /** Tasks that were asleep whenever it was met, by keyOfTask(). */
  readonly asleep: ReadonlySet<number>;
  /** What happens behind it, not to be changed. */
  readonly behind: TouchSet;
  /** Which interchangeable actor was in which situation, for those in `behind`. */
  readonly order: Order;
}

const SLOTS_AT_FIRST = 1 << 10;
/** No key is below 0. */
const FREE = -1;

/** Numbers what comes up again and again. */
class Numbered<T> {
  readonly all: T[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string, value: T): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.all.length);
    this.all.push(value);
    return this.all.length - 1;
  }
}

export class KnownStates {
  readonly #bytesMax: number;
  #isFull = false;
  #keys = new Float64Array(SLOTS_AT_FIRST).fill(FREE);
  #behind = new Uint32Array(SLOTS_AT_FIRST);
  #asleep = new Uint32Array(SLOTS_AT_FIRST);
  #orders = new Uint32Array(SLOTS_AT_FIRST);
  #size = 0;
  readonly #touches = new TouchStore();
  readonly #sleepers = new Numbered<ReadonlySet<number>>();
  readonly #allOrders = new Numbered<Order>();

  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.#bytesMax = bytesMax;
  }

  /** Something was not remembered, since there was no room for it. */
  get isFull(): boolean {
    return this.#isFull;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that are taken by states and by what is behind them. */
  get bytes(): number {
    const each = [this.#keys, this.#behind, this.#asleep, this.#orders];
    return each.reduce((sum, { byteLength }) => sum + byteLength, this.#touches.bytes);
  }

  get(key: number): Known | undefined {
    const slot = this.#slotOf(key);
    if (this.#keys[slot] === FREE) return undefined;
    const behind = this.#behind[slot] as StoredTouches;
    return {
      asleep: this.#sleepers.all[this.#asleep[slot] as number] as ReadonlySet<number>,
      behind: this.#touches.at(behind),
      order: this.#allOrders.all[this.#orders[slot] as number] as Order,
    };
  }

  /** Where there is no room for it, what was known before stays. */
  set(key: number, { asleep, behind, order }: Known): void {
    let slot = this.#slotOf(key);
    const isNew = this.#keys[slot] === FREE;
    const grows = isNew && (this.#size + 1) * 3 > this.#keys.length * 2;
    const { bytes } = this;
    const more = this.#touches.growthFor(behind) + (grows ? bytes - this.#touches.bytes : 0);
    if (more > 0 && bytes + more > this.#bytesMax) {
      this.#isFull = true;
      return;
    }
    if (grows) {
      this.#grow();
      slot = this.#slotOf(key);
    }
    if (isNew) {
      this.#size += 1;
      this.#keys[slot] = key;
    }
    this.#behind[slot] = this.#touches.add(behind);
    const sleepers = asleep.size === 0 ? '' : [...asleep].sort().join();
    this.#asleep[slot] = this.#sleepers.numberOf(sleepers, asleep);
    this.#orders[slot] = this.#allOrders.numberOf(order.length === 0 ? '' : order.join(), order);
  }

  /** Where `key` stands, or would stand. */
  #slotOf(key: number): number {
    const last = this.#keys.length - 1;
    let slot = ((key ^ Math.floor(key / 0x1_0000_0000)) >>> 0) & last;
    while (this.#keys[slot] !== FREE && this.#keys[slot] !== key) slot = (slot + 1) & last;
    return slot;
  }

  #grow(): void {
    const old = [this.#keys, this.#behind, this.#asleep, this.#orders] as const;
    const slots = this.#keys.length * 2;
    this.#keys = new Float64Array(slots).fill(FREE);
    this.#behind = new Uint32Array(slots);
    this.#asleep = new Uint32Array(slots);
    this.#orders = new Uint32Array(slots);
    const [keys, behind, asleep, orders] = old;
    for (const [from, key] of keys.entries()) {
      if (key === FREE) continue;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      this.#behind[slot] = behind[from] as number;
      this.#asleep[slot] = asleep[from] as number;
      this.#orders[slot] = orders[from] as number;
    }
  }
}
