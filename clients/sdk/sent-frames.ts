import { REPLAY_BYTES_MAX, REPLAY_FRAMES_MAX } from '../../server/protocol/limits.ts';

export type SentFrame = string | Uint8Array<ArrayBuffer>;

interface Kept {
  readonly seq: number;
  readonly frame: SentFrame;
}

/**
 * The numbers of the frames that we sent, and those frames that the server may not have: they are sent again
 * after a resume. Bounded; beyond the bound the oldest are dropped, and a resume that needs them is not possible.
 */
export class SentFrames {
  readonly #framesMax: number;
  readonly #bytesMax: number;
  #kept: Kept[] = [];
  /** How many at the front of #kept are dropped already; cut off now and then, not one by one. */
  #dropped = 0;
  #bytes = 0;
  #last = 0;

  constructor(framesMax = REPLAY_FRAMES_MAX, bytesMax = REPLAY_BYTES_MAX) {
    this.#framesMax = framesMax;
    this.#bytesMax = bytesMax;
  }

  /** The number of the frame sent last. 0 before the first. */
  get last(): number {
    return this.#last;
  }

  get kept(): number {
    return this.#kept.length - this.#dropped;
  }

  /** The number for the next frame: 1, 2, 3 ... */
  nextSeq(): number {
    this.#last += 1;
    return this.#last;
  }

  keep(seq: number, frame: SentFrame): void {
    this.#kept.push({ seq, frame });
    this.#bytes += frame.length;
    while (this.kept > this.#framesMax || (this.#bytes > this.#bytesMax && this.kept > 1)) {
      this.#dropOldest();
    }
  }

  /** The server has everything up to and with `seq`. */
  forget(seq: number): void {
    for (let oldest = this.#oldest(); oldest !== undefined && oldest.seq <= seq; ) {
      this.#dropOldest();
      oldest = this.#oldest();
    }
  }

  /** What has to be sent again to a server that has everything up to `received`. */
  after(received: number): readonly SentFrame[] | 'too-old' {
    const missing = this.#last - received;
    if (missing < 0 || missing > this.kept) return 'too-old';
    return this.#kept.slice(this.#kept.length - missing).map(({ frame }) => frame);
  }

  /** Goes on with a session that another connection object began: the server has everything up to `received`. */
  goOnFrom(received: number): void {
    this.restart();
    this.#last = received;
  }

  /** A fresh session counts from 1 again. */
  restart(): void {
    this.#kept = [];
    this.#dropped = 0;
    this.#bytes = 0;
    this.#last = 0;
  }

  #oldest(): Kept | undefined {
    return this.#kept[this.#dropped];
  }

  #dropOldest(): void {
    const oldest = this.#oldest();
    if (oldest === undefined) return;
    this.#bytes -= oldest.frame.length;
    this.#dropped += 1;
    if (this.#dropped >= this.#framesMax) {
      this.#kept = this.#kept.slice(this.#dropped);
      this.#dropped = 0;
    }
  }
}
