/**
 * The frames of one session on their way out: numbered without gaps, and kept until the client has them, so that
 * a resume can send them again. Both what is kept and what waits in the socket is bounded in bytes.
 */
import {
  OUTBOX_BYTES_MAX,
  REPLAY_ALL_BYTES_MAX,
  REPLAY_BYTES_MAX,
  REPLAY_BYTES_MIN,
  REPLAY_FRAMES_MAX,
} from '../protocol/limits.ts';

export type Frame = string | Uint8Array<ArrayBuffer>;

/** What was dropped from the front is cut off the array when this much has gathered. */
const COMPACT_AT = 256;

/** What all outboxes of a server keep together. */
export interface ReplayBytes {
  all: number;
}

export class Outbox {
  readonly #shared: ReplayBytes;
  #last = 0;
  #kept: Frame[] = [];
  /** Kept frames before this place in #kept were dropped. */
  #head = 0;
  #bytes = 0;

  constructor(shared: ReplayBytes) {
    this.#shared = shared;
  }

  /** The `seq` of the last frame. */
  get last(): number {
    return this.#last;
  }

  get keptFrames(): number {
    return this.#kept.length - this.#head;
  }

  /** Goes on where another one was. */
  restore(last: number, frames: readonly Frame[]): void {
    this.#last = last;
    for (const frame of frames) this.keep(frame);
  }

  /** The frames that are kept. */
  get kept(): readonly Frame[] {
    return this.#kept.slice(this.#head);
  }

  /** The number for the next frame. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** Keeps the frame that was numbered last. Over the bound the oldest are dropped. */
  keep(frame: Frame): void {
    this.#kept.push(frame);
    this.#bytes += frame.length;
    this.#shared.all += frame.length;
    while (this.keptFrames > REPLAY_FRAMES_MAX || this.#bytes > this.#bytesMax()) this.#drop();
  }

  #bytesMax(): number {
    return this.#shared.all > REPLAY_ALL_BYTES_MAX ? REPLAY_BYTES_MIN : REPLAY_BYTES_MAX;
  }

  /** The session is over. */
  forget(): void {
    while (this.keptFrames > 0) this.#drop();
  }

  /** The client has all frames up to and with `seq`. */
  acknowledge(seq: number): void {
    while (this.keptFrames > 0 && this.#last - this.keptFrames < seq) this.#drop();
  }

  /** The frames that a client with all frames up to `since` lacks; 'too-old' if they are not all kept. */
  after(since: number): readonly Frame[] | 'too-old' {
    const lacks = this.#last - since;
    if (lacks < 0 || lacks > this.keptFrames) return 'too-old';
    return this.#kept.slice(this.#kept.length - lacks);
  }

  #drop(): void {
    const bytes = this.#kept[this.#head]?.length ?? 0;
    this.#bytes -= bytes;
    this.#shared.all -= bytes;
    this.#kept[this.#head] = '';
    this.#head += 1;
    if (this.#head < COMPACT_AT) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }
}

/** Whether a frame still fits behind what already waits in the socket. The cap counts the frame itself. */
export function fitsOutbox(bytesWaiting: number, frame: Frame): boolean {
  return bytesWaiting + frame.length <= OUTBOX_BYTES_MAX;
}
