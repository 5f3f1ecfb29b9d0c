/**
 * For tests: a server that a test moves by hand. Nothing arrives before the test says so, so every order of frames
 * can be played, without a network and without waiting.
 */
import { decodeBinaryFrame, encodeBinaryFrame } from '../../server/protocol/binary-frame.ts';
import { SUBPROTOCOL } from '../../server/protocol/limits.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';
import type { SocketFactory, SocketLike } from './web-socket.ts';

/** A frame of the client, as the test sees it. */
export interface SeenFrame {
  readonly seq: number;
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly data?: { readonly errno?: string } };
  readonly pages: readonly PageContents[];
}

type Handler = ((event: never) => void) | null;

class HandSocket implements SocketLike {
  binaryType = 'blob';
  readonly protocol = SUBPROTOCOL;
  bufferedAmount = 0;
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  readonly arrived: SeenFrame[] = [];
  closedWith: number | 'open' = 'open';

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.arrived.push(parse(frame));
  }

  close(code = 1000): void {
    this.closedWith = code;
  }
}

export class HandServer {
  readonly sockets: HandSocket[] = [];
  #sent = 0;
  #read = 0;
  #onConnect: () => void = () => undefined;

  readonly socket: SocketFactory = () => {
    const socket = new HandSocket();
    this.sockets.push(socket);
    queueMicrotask(this.#onConnect);
    return socket;
  };

  /** The socket of the last connection. */
  get last(): HandSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nobody has connected');
    return socket;
  }

  /** Resolves when the client connects the next time. */
  nextConnection(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnect = resolve;
    });
  }

  /** Opens the connection and reads the hello. */
  open(): SeenFrame {
    this.#read = 0;
    fire(this.last.onopen, {});
    return this.frame();
  }

  /** The next frame of the client that was not read yet. */
  frame(): SeenFrame {
    const frame = this.last.arrived[this.#read];
    if (frame === undefined) throw new Error('the client has sent nothing more');
    this.#read += 1;
    return frame;
  }

  /** All frames of the client that were not read yet. */
  frames(): readonly SeenFrame[] {
    const frames = this.last.arrived.slice(this.#read);
    this.#read = this.last.arrived.length;
    return frames;
  }

  /** Sends a frame with the next number. */
  send(body: object, pages: readonly PageContents[] = []): void {
    this.#sent += 1;
    this.sendRaw({ jsonrpc: '2.0', seq: this.#sent, ...body }, pages);
  }

  sendRaw(frame: object | string, pages: readonly PageContents[] = []): void {
    const json = typeof frame === 'string' ? frame : JSON.stringify(frame);
    const data = pages.length === 0 ? json : encodeBinaryFrame(json, pages).buffer;
    fire(this.last.onmessage, { data });
  }

  /** Opens the connection and accepts the hello. */
  greet(more: object = {}): SeenFrame {
    const hello = this.open();
    const result = helloResult(more);
    const frame = { id: hello.id, result };
    if (result.session === 'fresh') this.send(frame);
    else this.sendRaw({ jsonrpc: '2.0', seq: 1, ...frame });
    return hello;
  }

  answer(request: SeenFrame, result: unknown, pages: readonly PageContents[] = []): void {
    this.send({ id: request.id, result }, pages);
  }

  /** The connection breaks. */
  lose(code = 1006): void {
    fire(this.last.onclose, { code, reason: '' });
  }
}

function helloResult(more: object) {
  return {
    lab: 'test',
    actor: 'dev0',
    epoch: 1,
    resumeToken: 'secret',
    session: 'fresh',
    received: 0,
    state: 'attached',
    leaseMs: 10_000,
    graceMs: 30_000,
    heartbeatMs: 15_000,
    model: { hash: '0', version: '0' },
    ...more,
  };
}

function parse(frame: string | Uint8Array<ArrayBuffer>): SeenFrame {
  if (typeof frame === 'string') return { ...JSON.parse(frame), pages: [] };
  const binary = decodeBinaryFrame(frame);
  if ('bound' in binary) throw new Error(binary.bound);
  return { ...JSON.parse(binary.json), pages: binary.pages };
}

function fire(handler: Handler, event: object): void {
  handler?.(event as never);
}
