/**
 * Server frames on their way into a socket. What one turn of the event loop brings forth for a client leaves as one
 * buffer in one write: a hundred answers cost one system call, and none a header of its own in memory. (RFC 6455,
 * section 5.2: frames of a server are not masked, and none of ours is fragmented or compressed.)
 */
import type { Duplex } from 'node:stream';
import type { Frame } from './outbox.ts';

const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
/** Payloads up to this size have a header of two bytes. */
const SHORT_MAX = 125;
/** Up to this, the length takes two bytes more; above it, eight. */
const MEDIUM_MAX = 0xffff;

/** Frames gathered for one socket. */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #takesFrames: () => boolean;
  readonly #frames: Frame[] = [];
  #bytes = 0;

  /** No frame may follow a close frame (RFC 6455, section 5.5.1): from then on `takesFrames` says no. */
  constructor(socket: Duplex, takesFrames: () => boolean = () => true) {
    this.#socket = socket;
    this.#takesFrames = takesFrames;
  }

  /** Bytes that the peer has yet to take, gathered ones included. Text counts a character as a byte until written. */
  get bytesWaiting(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** Gathers `frame`. Returns whether it is the first since flush(), who must then be called this turn. */
  add(frame: Frame): 'first' | 'later' {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    return this.#frames.length === 1 ? 'first' : 'later';
  }

  /** How many were gathered. */
  get frames(): number {
    return this.#frames.length;
  }

  /** Writes all that was gathered, or the first `count` of it. */
  flush(count = this.#frames.length): void {
    if (count < this.#frames.length) {
      const rest = this.#frames.splice(count);
      this.flush();
      for (const frame of rest) this.add(frame);
      return;
    }
    if (this.#frames.length === 0) return;
    if (this.#socket.writable && this.#takesFrames()) {
      const text = plainText(this.#frames);
      if (text === 'not plain') this.#socket.write(encodeFrames(this.#frames));
      else this.#socket.write(text, 'latin1');
    }
    while (this.#frames.length > 0) this.#frames.pop();
    this.#bytes = 0;
  }
}

/**
 * What encodeFrames() gives, as a string of its bytes, if all is ASCII and no longer than MEDIUM_MAX: the socket writes
 * a string without a buffer in between.
 */
export function plainText(frames: readonly Frame[]): string | 'not plain' {
  let text = '';
  for (const frame of frames) {
    if (typeof frame !== 'string' || frame.length > MEDIUM_MAX) return 'not plain';
    if (Buffer.byteLength(frame) !== frame.length) return 'not plain';
    text += shortHeader(frame.length) + frame;
  }
  return text;
}

function shortHeader(length: number): string {
  return length <= SHORT_MAX
    ? String.fromCharCode(FIN_TEXT, length)
    : String.fromCharCode(FIN_TEXT, SHORT_MAX + 1, length >>> 8, length & 0xff);
}

/** `frames` as a server sends them, one behind the other. */
export function encodeFrames(frames: readonly Frame[]): Buffer {
  let bytes = 0;
  for (const frame of frames) {
    const length = payloadBytes(frame);
    bytes += headerBytes(length) + length;
  }
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const frame of frames) {
    const length = payloadBytes(frame);
    at = writeHeader(buffer, at, typeof frame === 'string' ? FIN_TEXT : FIN_BINARY, length);
    if (typeof frame === 'string') buffer.write(frame, at, length, 'utf8');
    else buffer.set(frame, at);
    at += length;
  }
  return buffer;
}

function payloadBytes(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;
}

function headerBytes(length: number): number {
  if (length <= SHORT_MAX) return 2;
  return length <= MEDIUM_MAX ? 4 : 10;
}

/** Returns: where the payload begins. */
function writeHeader(buffer: Buffer, at: number, first: number, length: number): number {
  buffer[at] = first;
  if (length <= SHORT_MAX) {
    buffer[at + 1] = length;
    return at + 2;
  }
  if (length <= MEDIUM_MAX) {
    buffer[at + 1] = SHORT_MAX + 1;
    buffer.writeUInt16BE(length, at + 2);
    return at + 4;
  }
  buffer[at + 1] = SHORT_MAX + 2;
  buffer.writeUInt32BE(0, at + 2);
  buffer.writeUInt32BE(length, at + 6);
  return at + 10;
}
