/** One WebSocket: sends within the bound on what may wait, and is closed once. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseReason } from '../protocol/close-codes.ts';
import { DelayLine } from './delay-line.ts';
import type { Flusher } from './flusher.ts';
import { FrameWriter } from './frame-writer.ts';
import { type Frame, fitsOutbox } from './outbox.ts';
import type { Millis } from './session.ts';

/** Milliseconds that a peer has to answer our close, before the socket is destroyed. */
export const CLOSE_LINGER_MS = 5_000;

export interface Traffic {
  framesIn: number;
  framesOut: number;
}

/** Frames of a client that was slowed down, on their way in and out. */
interface Delay {
  readonly in: DelayLine;
  readonly out: DelayLine;
}

interface Flow {
  flow(state: 'stopped' | 'free'): void;
}

/** What a hello waits for, because it has more to do than one turn takes. */
export interface Busy {
  readonly busy: boolean;
  stop(link: Flow): void;
  inTurn(act: () => void): void;
}

/** `Session` is what has said hello on it. */
export class Connection<Session = unknown> {
  readonly socket: WebSocket;
  readonly openedAt: Millis;
  /** Of the peer. */
  readonly address: string;
  /** 'none' while greeting, and again once the session has gone to another connection or is over. */
  session: Session | 'none' = 'none';
  /** Its hello has come, and is heard in turn. */
  waitsFor: Busy | 'none' = 'none';
  /** How a lab stops it. */
  readonly byLab: Flow = { flow: (state) => this.flow('lab', state) };
  /** 'greeting' until a hello is accepted. */
  state: 'greeting' | 'attached' | 'closing' = 'greeting';
  pingedAt: Millis;
  closedAt: Millis = 0;
  readonly #writer: FrameWriter;
  readonly #flusher: Flusher;
  readonly #traffic: Traffic;
  readonly #overflow: (connection: Connection<Session>) => void;
  #delay: Delay | 'none' = 'none';
  readonly #stoppedBy = new Set<'delay' | 'lab' | 'storage'>();

  constructor(
    socket: WebSocket,
    raw: Duplex,
    shared: {
      readonly flusher: Flusher;
      readonly traffic: Traffic;
      readonly overflow: (connection: Connection<Session>) => void;
      readonly address: string;
      readonly now: Millis;
    },
  ) {
    this.socket = socket;
    // It answers a close by itself, in the middle of a turn.
    this.#writer = new FrameWriter(raw, () => socket.readyState === socket.OPEN);
    this.#flusher = shared.flusher;
    this.#traffic = shared.traffic;
    this.#overflow = shared.overflow;
    this.address = shared.address;
    this.openedAt = shared.now;
    this.pingedAt = shared.now;
  }

  /** Bytes that the peer has yet to take. */
  get bytesWaiting(): number {
    const held = this.#delay === 'none' ? 0 : this.#delay.out.bytesWaiting;
    return this.#writer.bytesWaiting + held;
  }

  send(frame: Frame): void {
    if (this.state === 'closing') return;
    if (!fitsOutbox(this.bytesWaiting, frame)) {
      this.#overflow(this);
      return;
    }
    if (this.#delay === 'none') this.#write(frame);
    else this.#delay.out.add(frame.length, () => this.#write(frame));
  }

  get pace(): 'as it comes' | 'held back' {
    return this.#delay === 'none' ? 'as it comes' : 'held back';
  }

  /** A frame of a slowed client has come in: `take` is called when its time has come, in order. */
  holdBack(bytes: number, take: () => void): void {
    if (this.#delay === 'none') take();
    else this.#delay.in.add(bytes, take);
  }

  /** Holds back each frame by `ms`, both ways; 0 ends it. */
  slow(ms: Millis): void {
    if (this.#delay === 'none') {
      if (ms === 0) return;
      // A slow client cannot fill our memory: its frames wait in its own socket.
      const full = (state: 'full' | 'not full') =>
        this.flow('delay', state === 'full' ? 'stopped' : 'free');
      this.#delay = { in: new DelayLine(full), out: new DelayLine() };
    }
    this.#delay.in.ms = ms;
    this.#delay.out.ms = ms;
  }

  /** Nothing more is read while anything has stopped it. */
  flow(by: 'delay' | 'lab' | 'storage', state: 'stopped' | 'free'): void {
    if (state === 'stopped') this.#stoppedBy.add(by);
    else this.#stoppedBy.delete(by);
    if (this.#stoppedBy.size > 0) this.socket.pause();
    else this.socket.resume();
  }

  #write(frame: Frame): void {
    if (this.state === 'closing') return;
    this.#traffic.framesOut += 1;
    if (this.#writer.add(frame) === 'first') this.#flusher.later(this.#writer);
  }

  /** Says why, and waits CLOSE_LINGER_MS for the peer to agree. See reap(). */
  close(reason: CloseReason, now: Millis): void {
    if (this.state === 'closing') return;
    this.closedAt = now;
    this.session = 'none';
    if (this.#delay !== 'none') this.#delay.out.flush();
    this.state = 'closing';
    this.#flusher.last(this.#writer, () => {
      this.socket.resume();
      this.socket.close(CLOSE_CODES[reason].code, reason);
    });
  }

  /** Destroys the socket if it was closed long enough ago. */
  reap(now: Millis): void {
    if (this.state === 'closing' && now - this.closedAt >= CLOSE_LINGER_MS) this.socket.terminate();
  }
}
