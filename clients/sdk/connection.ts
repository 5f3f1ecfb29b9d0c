/**
 * One session with a server: hello, numbered frames, answers that find their requests, and coming back after a
 * lost connection without losing or doubling a frame. Knows nothing of devices; see connect.ts for those.
 *
 * Works in Node 22 and newer and in browsers.
 */

import { encodeBinaryFrame } from '../../server/protocol/binary-frame.ts';
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import type { RequestId } from '../../server/protocol/envelope.ts';
import { type HelloParams, HelloResult } from '../../server/protocol/hello.ts';
import { HEARTBEAT_MS, OUTBOX_BYTES_MAX, SUBPROTOCOL } from '../../server/protocol/limits.ts';
import type { Pong } from '../../server/protocol/ping.ts';
import type { ServerNotificationParams } from '../../server/protocol/server-notifications.ts';
import { compileCheck } from '../../server/protocol/validators.ts';
import type { Errno } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';
import {
  type CallRefusal,
  CallRefused,
  callRefusal,
  localRefusal,
  SESSION_LOST,
} from './call-refusal.ts';
import {
  type ClosedWhy,
  type ConnectionEvent,
  type ConnectionState,
  closedSentence,
  nextConnection,
  type OnLoss,
  RETRY_SOON_MS,
} from './connection-state.ts';
import { type SentFrame, SentFrames } from './sent-frames.ts';
import { ServerAddresses } from './server-addresses.ts';
import { parseServerFrame, type ServerFrame, type ServerQuestionId } from './server-frame.ts';
import { SilenceWatch } from './silence.ts';
import { globalSocket, openSocket, type SocketFactory, type SocketLike } from './web-socket.ts';

const HELLO = compileCheck(HelloResult);

function acceptsHello(result: unknown): result is HelloResult {
  return HELLO.accepts(result);
}

/** Frames that arrived since the last `ack`, above which an ack lets the server forget them. */
export const ACK_FRAMES = 64;
/** The same in bytes. */
export const ACK_BYTES = 32 * 1024;
/** Our own close code where the server sends what is no frame of the protocol. */
export const CLOSED_NONSENSE = 4900;
/** Our own close code where the server does not read: OUTBOX_BYTES_MAX bytes wait for it. */
export const CLOSED_SERVER_SLOW = 4901;

/** Our own close code of comeBack(). */
export const CLOSED_TO_COME_BACK = 4902;
/** Our own close code where the server has not been heard for three times its heartbeat, though it was asked. */
export const CLOSED_SILENT = 4903;
/** Milliseconds, of which a server has three to answer where others may have the lab: it may stand still. */
const CONNECT_TICK_MS = 1_000;
/** The `seq` of the first frame of a session. */
const HELLO_SEQ = 1;

export interface ConnectionOptions {
  /** `ws://127.0.0.1:7070/ws` */
  readonly url: string;
  readonly lab: string;
  readonly role: HelloParams['role'];
  /** Unique among the actors of the lab; 'auto' takes the next free one of the role. */
  readonly name: string;
  /** Whether a lab of this name is opened if there is none. 'never' if absent. */
  readonly create?: 'if-unknown' | 'never';
  /** Whether a session of that name, if it has been without a connection for a lease, ends. 'never' if absent. */
  readonly takeOver?: 'when-lost' | 'never';
  /** The address space that a device mirrors or a CPU runs in. 0 if absent. */
  readonly mm?: number;
  /** What to do when the connection is lost. 'resume' if absent. */
  readonly onLoss?: OnLoss;
  /** Milliseconds of trying to come back, before the session counts as lost. Without end if absent. */
  readonly comeBackMs?: number;
  /** Milliseconds during which the first connection is tried again. 0 if absent. */
  readonly connectMs?: number;
  /** For runtimes without a WebSocket of their own. */
  readonly socket?: SocketFactory;
  /** Called whenever the connection has another state: what to show to a waiting user. */
  readonly moved?: (state: ConnectionState['state']) => void;
  /** Where a client goes that cannot connect to another server than the given one, if that has the lab: a page. */
  readonly elsewhere?: (address: string) => void;
  /** A session that park() has left: this connection goes on with it, and asks nothing before it is greeted. */
  readonly parked?: ParkedSession;
}

/** What is needed to go on with a session from elsewhere: a page that is loaded again. */
export interface ParkedSession {
  readonly token: string;
  readonly epoch: number;
  /** The seq of the last frame of the server that arrived. */
  readonly received: number;
  readonly nextId: number;
  readonly name: string;
}

/** What came of a request. */
export type CallAnswer<T = unknown> =
  | { readonly ok: true; readonly result: T; readonly pages: readonly PageContents[] }
  | { readonly ok: false; readonly refusal: CallRefusal };

export interface ReceivedQuestion {
  readonly id: ServerQuestionId;
  readonly method: string;
  readonly params: unknown;
}

export interface Notification {
  readonly method: string;
  readonly params: unknown;
  readonly pages: readonly PageContents[];
}

export interface ConnectionListener {
  readonly asked: (question: ReceivedQuestion) => void;
  readonly notified: (notification: Notification) => void;
  /** After each message and each change of state, when everything above has been called. */
  readonly settled: () => void;
  /** The server complains about something that was not a request. */
  readonly complained: (refusal: CallRefusal) => void;
  /** After each hello that was accepted, before anything that came behind it. */
  readonly greeted?: (hello: HelloResult) => void;
  /** The session is gone: what is asked from now on belongs to the one that begins. See OnLoss 'rejoin'. */
  readonly beginsAnew?: () => void;
}

export class Connection {
  /** Resolved when the first hello is accepted. Rejected with SessionClosed if there is none. */
  readonly greeted: Promise<HelloResult>;
  /** Resolved when the session is over, whatever the reason. */
  readonly closed: Promise<ClosedWhy>;
  /** Resolved when the socket of a session that is over is closed, too: the server has let go of the name. */
  readonly left: Promise<void>;

  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #sent = new SentFrames();
  readonly #silence = new SilenceWatch({
    ask: () => {
      if (this.#state.state === 'attached') this.request('ping', {}, [], () => undefined);
    },
    silent: () => this.#drop(CLOSED_SILENT, 'the server is silent'),
  });
  readonly #open = new Map<RequestId, { seq: number; answered: (answer: CallAnswer) => void }>();
  #state: ConnectionState;
  readonly #addresses: ServerAddresses;
  #name: string;
  #socket: SocketLike | 'none' = 'none';
  #session: HelloResult | 'none' = 'none';
  /** How to come back to the session, if there is one. */
  #resume: { readonly token: string; readonly epoch: number } | 'none' = 'none';
  #nextId = 1;
  /** Between sessions whatever is asked has no answer: it belongs to what is gone. */
  #life: 'in a session' | 'between sessions' = 'in a session';
  /** The `seq` of the last frame of the server that arrived. */
  #received = 0;
  #unackedFrames = 0;
  #unackedBytes = 0;
  #helloId = 0;
  readonly #resolveGreeted: (hello: HelloResult) => void;
  readonly #rejectGreeted: (closed: ClosedWhy) => void;
  readonly #resolveClosed: (closed: ClosedWhy) => void;
  readonly #resolveLeft: () => void;
  /** The socket that #finish() has closed. */
  #last: SocketLike | 'none' = 'none';

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#name = options.name;
    this.#addresses = new ServerAddresses(options.url);
    this.#listener = listener;
    const greeted = Promise.withResolvers<HelloResult>();
    const closed = Promise.withResolvers<ClosedWhy>();
    this.greeted = greeted.promise;
    // A process that only waits for `closed` must not be killed by a rejection that is not awaited.
    this.greeted.catch(() => undefined);
    this.closed = closed.promise;
    this.#resolveGreeted = greeted.resolve;
    this.#rejectGreeted = (why) => greeted.reject(new SessionClosed(why));
    this.#resolveClosed = closed.resolve;
    const left = Promise.withResolvers<void>();
    this.left = left.promise;
    this.#resolveLeft = left.resolve;
    const giveUpAt = now() + (options.connectMs ?? 0);
    const onLoss = options.onLoss ?? 'resume';
    const { parked } = options;
    if (parked !== undefined) {
      this.#resume = { token: parked.token, epoch: parked.epoch };
      this.#received = parked.received;
      this.#nextId = parked.nextId;
      this.#name = parked.name;
    }
    const purpose = parked === undefined ? 'begin' : 'resume';
    this.#state = {
      state: 'connecting',
      attempt: { purpose, failures: 0, giveUpAt, nameFreeAt: 0, onLoss },
    };
    // Whatever is asked before the connection stands comes behind the hello, which has HELLO_SEQ.
    this.#sent.nextSeq();
    this.#connect();
  }

  get state(): ConnectionState['state'] {
    return this.#state.state;
  }

  /** In the lab: once it is greeted, the one that it was given. */
  get name(): string {
    return this.#name;
  }

  /** Of the server that it is connected to, or is to be. */
  get address(): string {
    return this.#addresses.next;
  }

  /** The answer to the last hello, or 'none' before the first. */
  get session(): HelloResult | 'none' {
    return this.#session;
  }

  /** Requests without an answer. */
  get inFlight(): number {
    return this.#open.size;
  }

  /**
   * Asks the server; `answered` is called once. While the connection is away the request waits for its return.
   *
   * Returns: the request's id.
   */
  request(
    method: string,
    params: unknown,
    pages: readonly PageContents[],
    answered: (answer: CallAnswer) => void,
  ): number {
    const id = this.#nextId;
    this.#nextId += 1;
    if (this.#state.state === 'closed' || this.#life === 'between sessions') {
      queueMicrotask(() => {
        answered({ ok: false, refusal: lostRefusal() });
        this.#listener.settled();
      });
      return id;
    }
    const seq = this.#send({ id, method, params }, pages);
    this.#open.set(id, { seq, answered });
    return id;
  }

  /** As request(), for callers that await. */
  call(method: string, params: unknown, pages: readonly PageContents[] = []): Promise<CallAnswer> {
    return new Promise((resolve) => {
      this.request(method, params, pages, resolve);
    });
  }

  /** Whether the server is there, and what it knows of this client. Rejects: CallRefused. */
  async ping(): Promise<Pong> {
    const answer = await this.call('ping', {});
    if (!answer.ok) throw new CallRefused('ping', answer.refusal);
    return answer.result as Pong;
  }

  notify(method: string, params: unknown, pages: readonly PageContents[] = []): void {
    this.#send({ method, params }, pages);
  }

  answer(id: ServerQuestionId, result: unknown): void {
    this.#send({ id, result }, []);
  }

  /** Answers that the question could not be done. */
  answerError(id: ServerQuestionId, errno: Errno, message: string): void {
    this.#send({ id, error: { code: -32000, message, data: { errno } } }, []);
  }

  /** Breaks the connection, so that the session is resumed on another: how a device comes back from a fence. */
  comeBack(): void {
    this.#drop(CLOSED_TO_COME_BACK, 'comes back');
  }

  /** Leaves the session as it is, for another connection to go on with: see ConnectionOptions.parked. */
  park(): ParkedSession | 'none' {
    if (this.#resume === 'none' || this.#state.state === 'closed') return 'none';
    const parked = {
      ...this.#resume,
      received: this.#received,
      nextId: this.#nextId,
      name: this.name,
    };
    const socket = this.#socket;
    this.#socket = 'none';
    this.#move({ event: 'ended' });
    if (socket !== 'none') socket.close(CLOSED_TO_COME_BACK, 'comes back');
    return parked;
  }

  /** Ends the session. Frames that were sent before still go out. */
  close(): void {
    this.#move({ event: 'ended' });
  }

  #send(body: object, pages: readonly PageContents[]): number {
    if (this.#state.state === 'closed' || this.#life === 'between sessions') return 0;
    const seq = this.#sent.nextSeq();
    const frame = encode({ jsonrpc: '2.0', seq, ...body }, pages);
    this.#sent.keep(seq, frame);
    if (this.#state.state === 'attached') this.#write(frame);
    return seq;
  }

  #write(frame: SentFrame): void {
    if (this.#socket === 'none') return;
    this.#socket.send(frame);
    if (this.#socket.bufferedAmount > OUTBOX_BYTES_MAX) {
      this.#drop(CLOSED_SERVER_SLOW, 'the server does not read');
    }
  }

  #connect(): void {
    const { url, elsewhere } = this.#options;
    if (elsewhere !== undefined && this.#addresses.next !== url) {
      elsewhere(this.#addresses.next);
      return;
    }
    const socket = openSocket(this.#addresses.next, this.#options.socket ?? globalSocket, {
      opened: () => {
        if (this.#socket === socket) this.#greet();
      },
      arrived: (message) => {
        if (this.#socket === socket) this.#arrived(message);
      },
      closed: (code, text) => {
        if (this.#socket === socket) this.#lost(code, text);
        else if (this.#last === socket) this.#resolveLeft();
      },
    });
    this.#socket = socket;
    this.#silence.begin(this.#addresses.several ? CONNECT_TICK_MS : HEARTBEAT_MS);
  }

  #greet(): void {
    this.#move({ event: 'opened' });
    const { lab, role, mm, create, takeOver } = this.#options;
    this.#helloId = this.#nextId;
    this.#nextId += 1;
    const params: HelloParams = {
      protocol: SUBPROTOCOL,
      lab,
      role,
      name: this.#name,
      ...(mm === undefined ? {} : { mm }),
      ...(create === 'if-unknown' ? { create: true } : {}),
      ...(takeOver === 'when-lost' ? { takeOver: true } : {}),
      ...(this.#resume === 'none' ? {} : { resume: { ...this.#resume, since: this.#received } }),
    };
    // The hello of a resume stands outside the numbering; so does its answer.
    const hello = { jsonrpc: '2.0', seq: HELLO_SEQ, id: this.#helloId, method: 'hello', params };
    this.#write(JSON.stringify(hello));
  }

  #arrived(message: string | Uint8Array): void {
    this.#silence.heard();
    const frame = parseServerFrame(message);
    if (frame.kind === 'nonsense') {
      this.#drop(CLOSED_NONSENSE, `a frame of the server: expected ${frame.bound}`);
      return;
    }
    if (this.#state.state === 'greeting') this.#helloAnswered(frame);
    else if (this.#state.state === 'attached') this.#inOrder(frame, message.length);
    this.#listener.settled();
  }

  #inOrder(frame: ServerFrame, bytes: number): void {
    if (frame.seq !== this.#received + 1) {
      this.#drop(CLOSED_NONSENSE, `expected frame ${this.#received + 1}, not ${frame.seq}`);
      return;
    }
    this.#received = frame.seq;
    this.#dispatch(frame);
    this.#unackedFrames += 1;
    this.#unackedBytes += bytes;
    if (this.#unackedFrames >= ACK_FRAMES || this.#unackedBytes >= ACK_BYTES) {
      this.#unackedFrames = 0;
      this.#unackedBytes = 0;
      this.notify('ack', { seq: this.#received });
    }
  }

  #dispatch(frame: ServerFrame): void {
    switch (frame.kind) {
      case 'answer':
        this.#answered(frame.id, { ok: true, result: frame.result, pages: frame.pages });
        break;
      case 'refusal': {
        const refusal = callRefusal(frame.error);
        if (frame.id === 'none') this.#listener.complained(refusal);
        else this.#answered(frame.id, { ok: false, refusal });
        break;
      }
      case 'question':
        this.#listener.asked(frame);
        break;
      case 'notification':
        this.#serverIsGoing(frame);
        this.#listener.notified(frame);
        break;
      default:
        assertNever(frame);
    }
  }

  #serverIsGoing({ method, params }: Notification): void {
    if (method !== 'going') return;
    const { resumable, forGood } = params as Partial<ServerNotificationParams['going']>;
    if (resumable === true) return;
    this.#move({ event: 'going', server: forGood === true ? 'for-good' : 'for-now' });
  }

  #answered(id: RequestId, answer: CallAnswer): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    // Frames arrive without gaps, so an answer says that all before its request has arrived too.
    this.#sent.forget(open.seq);
    open.answered(answer);
  }

  #helloAnswered(frame: ServerFrame): void {
    if (frame.kind === 'refusal') {
      this.#helloRefused(callRefusal(frame.error));
    } else if (
      frame.kind !== 'answer' ||
      frame.id !== this.#helloId ||
      !acceptsHello(frame.result)
    ) {
      this.#drop(CLOSED_NONSENSE, 'expected the answer to hello');
    } else {
      this.#helloAccepted(frame.result, frame.seq);
    }
  }

  #helloAccepted(hello: HelloResult, seq: number): void {
    // What follows the answer to a fresh hello counts on from it.
    if (this.#resume === 'none') this.#received = seq;
    const arrived = this.#resume === 'none' ? HELLO_SEQ : hello.received;
    const isParked = this.#resume !== 'none' && this.#session === 'none';
    if (isParked) this.#sent.goOnFrom(arrived);
    this.#session = hello;
    this.#addresses.greeted(hello.others ?? []);
    this.#resume = { token: hello.resumeToken, epoch: hello.epoch };
    this.#name = hello.actor;
    this.#sent.forget(arrived);
    const again = this.#sent.after(arrived);
    if (again === 'too-old') {
      this.#drop(CLOSE_CODES.expired.code, 'frames were lost: the session cannot be made whole');
      return;
    }
    const { comeBackMs = Number.POSITIVE_INFINITY } = this.#options;
    this.#move({ event: 'greeted', graceMs: hello.graceMs, comeBackMs });
    this.#silence.begin(hello.heartbeatMs);
    this.#listener.greeted?.(hello);
    for (const frame of again) this.#write(frame);
    this.#resolveGreeted(hello);
  }

  #helloRefused(refusal: CallRefusal): void {
    const socket = this.#socket;
    this.#silence.end();
    if (refusal.address !== undefined) this.#addresses.movedTo(refusal.address);
    this.#move({ event: 'hello-refused', refusal, at: now() });
    if (this.#state.state !== 'away') return;
    this.#socket = 'none';
    if (socket !== 'none') socket.close(1000);
  }

  #lost(code: number, text: string): void {
    this.#socket = 'none';
    this.#silence.end();
    const { state } = this.#state;
    if (state !== 'attached' || code === CLOSED_SILENT) this.#addresses.failed();
    this.#move({ event: 'lost', code, text, at: now() });
    this.#listener.settled();
  }

  /** Closes the socket ourselves, as if the server had. */
  #drop(code: number, text: string): void {
    const socket = this.#socket;
    this.#lost(code, text);
    if (socket !== 'none') socket.close(code, text.slice(0, 100));
  }

  #move(event: ConnectionEvent): void {
    const before = this.#state;
    this.#state = nextConnection(before, event);
    if (this.#state === before) return;
    if (this.#state.state !== before.state) this.#options.moved?.(this.#state.state);
    switch (this.#state.state) {
      case 'away':
        setTimeout(() => this.#retry(), this.#waitMs(this.#state.waitMs));
        if (this.#state.attempt.purpose === 'rejoin' && this.#session !== 'none') this.#beginAnew();
        break;
      case 'closed':
        this.#finish(this.#state.closed);
        break;
      case 'connecting':
      case 'greeting':
      case 'attached':
        break;
      default:
        assertNever(this.#state);
    }
  }

  /** Where several servers may have the lab, it is not away for long. */
  #waitMs(waitMs: number): number {
    return this.#addresses.several ? Math.min(waitMs, RETRY_SOON_MS) : waitMs;
  }

  /** What was asked has no answer; what is asked from here on comes behind a fresh hello. */
  #beginAnew(): void {
    this.#session = 'none';
    this.#resume = 'none';
    this.#received = 0;
    this.#unackedFrames = 0;
    this.#unackedBytes = 0;
    this.#life = 'between sessions';
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { answered } of open) answered({ ok: false, refusal: lostRefusal() });
    this.#listener.settled();
    this.#life = 'in a session';
    this.#sent.restart();
    this.#sent.nextSeq();
    this.#listener.beginsAnew?.();
  }

  #retry(): void {
    if (this.#state.state !== 'away') return;
    this.#move({ event: 'retry' });
    this.#connect();
  }

  #finish(closed: ClosedWhy): void {
    const socket = this.#socket;
    this.#silence.end();
    this.#socket = 'none';
    this.#last = socket;
    if (socket === 'none') this.#resolveLeft();
    else socket.close(1000);
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { answered } of open) answered({ ok: false, refusal: lostRefusal() });
    this.#rejectGreeted(closed);
    this.#resolveClosed(closed);
    this.#listener.settled();
  }
}

/** The session ended before it was of use. */
export class SessionClosed extends Error {
  readonly closed: ClosedWhy;

  constructor(closed: ClosedWhy) {
    super(closedSentence(closed));
    this.name = 'SessionClosed';
    this.closed = closed;
  }
}

function encode(envelope: object, pages: readonly PageContents[]): SentFrame {
  const json = JSON.stringify(envelope);
  return pages.length === 0 ? json : encodeBinaryFrame(json, pages);
}

function lostRefusal(): CallRefusal {
  return localRefusal(
    'ENOTCONN',
    SESSION_LOST,
    'the session ended before an answer came',
    'Connect again; look at the state before you ask again.',
  );
}

function now(): number {
  return performance.now();
}
