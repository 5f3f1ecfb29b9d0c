/**
 * What the threads of one search share while they run, in memory that all of them see: how far the
 * exhaustive search is, who still gets on, and that it is time to stop.
 */
import type { Progress } from '../../../explorer/search.ts';

const SLOTS_MAX = 64;
/** A share of the search tree is kept as so many parts of it. */
const WHOLE = 1_000_000_000;
const NO_LIMIT = BigInt(Number.MAX_SAFE_INTEGER);

const AT = { stop: 0, limit: 1, executions: 2, steps: 3, windowEntered: 4, done: 5 } as const;
const FIRST_BEAT = 6;
const FIRST_THREAD = FIRST_BEAT + SLOTS_MAX;
const CELLS = FIRST_THREAD + SLOTS_MAX;

export class SharedSearch {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  /** Without `buffer`, the memory of a search that begins. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT);
    this.#cells = new BigInt64Array(this.buffer);
    if (buffer === undefined) this.#cells[AT.limit] = NO_LIMIT;
  }

  stop(): void {
    this.#set(AT.stop, 1);
  }

  /** The exhaustive search may stop when it has had so many executions. */
  limit(executions: number): void {
    this.#set(AT.limit, executions);
  }

  /** For a search that has had `executions`. */
  goOn(executions: number): 'go on' | 'stop' {
    if (this.#get(AT.stop) === 1) return 'stop';
    return executions < this.#get(AT.limit) ? 'go on' : 'stop';
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
