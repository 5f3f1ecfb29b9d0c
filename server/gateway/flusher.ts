/** Flushes the writers of all connections at the end of the turn of the event loop in which they got frames. */
import type { FrameWriter } from './frame-writer.ts';

export class Flusher {
  /** Two lists that take turns, so that none has to be made anew. */
  #waiting: FrameWriter[] = [];
  #flushing: FrameWriter[] = [];
  readonly #flush = (): void => {
    const flushing = this.#waiting;
    this.#waiting = this.#flushing;
    this.#flushing = flushing;
    for (const writer of flushing) writer.flush();
    while (flushing.length > 0) flushing.pop();
  };

  /** Call it with a writer that has got its first frame. */
  later(writer: FrameWriter): void {
    this.#waiting.push(writer);
    if (this.#waiting.length === 1) process.nextTick(this.#flush);
  }
}
