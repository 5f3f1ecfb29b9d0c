/**
 * What the threads of one search share while they run, in memory that all of them see: how far the
 * exhaustive search is, who still gets on, and that it is time to stop.
 */
import type { Progress } from '../../../explorer/search.ts';

const SLOTS_MAX = 64;
/** A share of the search tree is kept as so many parts of it. */
const WHOLE = 1_000_000_000;

const AT = { stop: 0, executions: 1, steps: 2, windowEntered: 3, done: 4 } as const;
const FIRST_BEAT = 5;
const FIRST_THREAD = FIRST_BEAT + SLOTS_MAX;
const CELLS = FIRST_THREAD + SLOTS_MAX;

export class SharedSearch {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  /** Without `buffer`, the memory of a search that begins. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT);
    this.#cells = new BigInt64Array(this.buffer);
  }

  stop(): void {
    this.#set(AT.stop, 1);
  }

  goOn(): 'go on' | 'stop' {
    return this.#get(AT.stop) === 1 ? 'stop' : 'go on';
  }

  report(progress: Progress): void {
    this.#set(AT.executions, progress.executions);
    this.#set(AT.steps, progress.steps);
    this.#set(AT.windowEntered, progress.windowEntered);
    this.#set(AT.done, Math.round(progress.done * WHOLE));
  }

  progress(): Progress {
    return {
      executions: this.#get(AT.executions),
      steps: this.#get(AT.steps),
      windowEntered: this.#get(AT.windowEntered),
      done: this.#get(AT.done) / WHOLE,
    };
  }

  /** The thread that works for `slot` has begun. */
  begin(slot: number, threadId: number): void {
    this.#set(FIRST_THREAD + slot, threadId);
    this.beat(slot);
  }

  /** The thread that works for `slot` gets on. */
  beat(slot: number): void {
    Atomics.add(this.#cells, FIRST_BEAT + slot, 1n);
  }

  /** 0 before it has begun. */
  beats(slot: number): number {
    return this.#get(FIRST_BEAT + slot);
  }

  threadOf(slot: number): number {
    return this.#get(FIRST_THREAD + slot);
  }

  #get(cell: number): number {
    return Number(Atomics.load(this.#cells, cell));
  }

  #set(cell: number, value: number): void {
    Atomics.exchange(this.#cells, cell, BigInt(value));
  }
}
