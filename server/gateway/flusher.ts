/** Flushes the writers of all connections at the end of the turn of the event loop in which they got frames. */
import { NOT_DURABLE, type Safety } from '../journal/durability.ts';
import type { FrameWriter } from './frame-writer.ts';

export class Flusher {
  readonly #durability: Safety;
  /** Two lists that take turns, so that none has to be made anew. */
  #waiting: FrameWriter[] = [];
  #flushing: FrameWriter[] = [];
  readonly #flush = (): void => {
    const flushing = this.#waiting;
    this.#waiting = this.#flushing;
    this.#flushing = flushing;
    if (this.#durability.mode === 'each') this.#flushWhenSafe(flushing.splice(0));
    else for (const writer of flushing) writer.flush();
    while (flushing.length > 0) flushing.pop();
  };

  /** With `durability` 'each', frames leave when what was written before them is safe. */
  constructor(durability: Safety = NOT_DURABLE) {
    this.#durability = durability;
  }

  /** Call it with a writer that has got its first frame. */
  later(writer: FrameWriter): void {
    this.#waiting.push(writer);
    if (this.#waiting.length === 1) process.nextTick(this.#flush);
  }

  /** Flushes a writer that gets no more frames, and calls `then`: at once if what it says can be made safe at once. */
  last(writer: FrameWriter, then: () => void): void {
    const leave = (): void => {
      writer.flush();
      then();
    };
    const waits = this.#durability.mode === 'each' && this.#durability.syncNow() === 'cannot';
    if (!waits || this.#durability.whenSafe(leave) === 'now') leave();
  }

  #flushWhenSafe(writers: readonly FrameWriter[]): void {
    const gathered = writers.map((writer) => writer.frames);
    const leave = (): void => {
      for (const [at, writer] of writers.entries()) {
        writer.flush(gathered[at]);
        if (writer.frames > 0) this.later(writer);
      }
    };
    if (this.#durability.whenSafe(leave) === 'now') leave();
  }
}
