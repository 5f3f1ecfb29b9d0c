/** What goes out in one turn of the event loop leaves in one write a socket: a hundred answers, one system call. */
import type { Duplex } from 'node:stream';

export class Corks {
  #corked: Duplex[] = [];
  readonly #release = (): void => {
    const corked = this.#corked;
    this.#corked = [];
    for (const socket of corked) socket.uncork();
  };

  /** Holds what is written to `socket` until this turn ends. */
  hold(socket: Duplex): void {
    if (socket.writableCorked > 0) return;
    socket.cork();
    this.#corked.push(socket);
    if (this.#corked.length === 1) process.nextTick(this.#release);
  }
}
