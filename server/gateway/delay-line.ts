/** Holds things back for a while and lets them go in the order in which they came. */

/** Bytes in a line, above which its source is asked to wait. */
export const DELAYED_BYTES_MAX = 1024 * 1024;

interface Waiting {
  readonly bytes: number;
  /** Of performance.now(). */
  readonly due: number;
  readonly go: () => void;
}

export class DelayLine {
  /** Milliseconds by which whatever comes from now on is held back. */
  ms = 0;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | 'none' = 'none';
  #state: 'full' | 'not full' = 'not full';
  readonly #onFull: (state: 'full' | 'not full') => void;

  /** `onFull` is called when more than DELAYED_BYTES_MAX wait, and when that is over. */
  constructor(onFull: (state: 'full' | 'not full') => void = () => undefined) {
    this.#onFull = onFull;
  }

  get bytesWaiting(): number {
    return this.#bytes;
  }

  /** Calls `go` after `ms`, at once if nothing is held back. */
  add(bytes: number, go: () => void): void {
    if (this.ms === 0 && this.#waiting.length === 0) {
      go();
      return;
    }
    // Never before what came earlier, though the delay may have become shorter.
    const due = Math.max(performance.now() + this.ms, this.#waiting.at(-1)?.due ?? 0);
    this.#waiting.push({ bytes, due, go });
    this.#bytes += bytes;
    if (this.#timer === 'none') this.#setTimer(due);
    this.#judge();
  }

  /** Lets everything go now. */
  flush(): void {
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    this.#timer = 'none';
    this.#letGo(Number.POSITIVE_INFINITY);
  }

  #setTimer(due: number): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = 'none';
        this.#letGo(performance.now());
        const first = this.#waiting[0];
        if (first !== undefined && this.#timer === 'none') this.#setTimer(first.due);
      },
      Math.max(0, due - performance.now()),
    );
    this.#timer.unref();
  }

  #letGo(until: number): void {
    let count = 0;
    while (count < this.#waiting.length && (this.#waiting[count]?.due ?? 0) <= until) count += 1;
    const due = this.#waiting.splice(0, count);
    for (const { bytes } of due) this.#bytes -= bytes;
    this.#judge();
    for (const { go } of due) go();
  }

  #judge(): void {
    const state = this.#bytes > DELAYED_BYTES_MAX ? 'full' : 'not full';
    if (state === this.#state) return;
    this.#state = state;
    this.#onFull(state);
  }
}
