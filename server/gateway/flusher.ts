/** Flushes the writers of all connections at the end of the turn of the event loop in which they got frames. */
import type { FrameWriter } from './frame-writer.ts';

export class Flusher {
  #waiting: FrameWriter[] = [];
  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) writer.flush();
  };

  /** Call it with a writer that has got its first frame. */
  later(writer: FrameWriter): void {
    this.#waiting.push(writer);
    if (this.#waiting.length === 1) process.nextTick(this.#flush);
  }
}
