/**
 * A network that dies sends no message of it, and no WebSocket of a browser, nor Node's own, shows the server's pings.
 * So a server that has been silent for a while is asked whether it is there.
 */

export interface SilenceListener {
  /** Nothing has been heard for a while: whatever the server sends now breaks the silence. */
  readonly ask: () => void;
  /** Nor has it been heard since it was asked. */
  readonly silent: () => void;
}

export class SilenceWatch {
  readonly #listener: SilenceListener;
  #timer: ReturnType<typeof setInterval> | 'none' = 'none';
  #state: 'heard' | 'quiet' | 'asked' = 'heard';

  constructor(listener: SilenceListener) {
    this.#listener = listener;
  }

  /** Begins anew: the server is asked after `ms` of silence at the soonest, and has as long for its answer. */
  begin(ms: number): void {
    this.end();
    this.#state = 'heard';
    this.#timer = setInterval(() => this.#tick(), ms);
    // Its socket keeps a process alive; this does not. Timers of browsers are numbers.
    if (typeof this.#timer === 'object') this.#timer.unref();
  }

  heard(): void {
    this.#state = 'heard';
  }

  end(): void {
    if (this.#timer !== 'none') clearInterval(this.#timer);
    this.#timer = 'none';
  }

  #tick(): void {
    if (this.#state === 'heard') {
      this.#state = 'quiet';
    } else if (this.#state === 'quiet') {
      this.#state = 'asked';
      this.#listener.ask();
    } else {
      // A client that stood still itself reads what has arrived meanwhile before it judges.
      setTimeout(() => {
        if (this.#state === 'asked' && this.#timer !== 'none') this.#listener.silent();
      }, 0);
    }
  }
}
