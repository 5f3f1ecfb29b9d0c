/**
 * WebSocket connections and the sessions on them: the shell around receive.ts, session.ts and outbox.ts. It has
 * the sockets and the timer, and decides nothing that they do not.
 */

import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { NOT_DURABLE, type Safety } from '../journal/durability.ts';
import { ALONE, type Whereabouts } from '../live/elsewhere.ts';
import { guarded } from '../live/guarded.ts';
import type { Lab } from '../live/lab.ts';
import type { SavedLink } from '../live/lab-actor.ts';
import type { ActorRole } from '../machine/remote/inbound.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import type { RequestId } from '../protocol/envelope.ts';
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  FRAME_BYTES_MAX,
  HELLO_BYTES_MAX,
  HELLO_MS,
  SUBPROTOCOL,
} from '../protocol/limits.ts';
import type { Pong } from '../protocol/ping.ts';
import { type Refusal, refuse } from '../protocol/refusal.ts';
import type { Role } from '../protocol/roles.ts';
import type { ServerNotificationParams } from '../protocol/server-notifications.ts';
import { AskedElsewhere } from './asked-elsewhere.ts';
import { ClientSession, type SessionShared } from './client-session.ts';
import { type Busy, Connection } from './connection.ts';
import { answerText } from './encode.ts';
import { Flusher } from './flusher.ts';
import {
  elsewhereRefusal,
  type GreetingOptions,
  graceIn,
  knownLab,
  opensLab,
  type Sessions,
  sessionKey,
  welcome,
} from './greeting.ts';
import { ParamsText } from './params-text.ts';
import {
  type Fatal,
  type Hello,
  type Received,
  type Refused,
  receive,
  receiveHello,
} from './receive.ts';
import type { SessionEvent } from './session.ts';

export interface GatewayOptions extends GreetingOptions {
  /** Whether frames wait until what they say is on the disk. Not, unless said. */
  readonly durability?: Safety;
  /** What makes WebSockets of HTTP connections; of the package ws, unless said. */
  readonly sockets?: SocketMaker;
  readonly onClosed: (lab: string, name: string, why: CloseReason | 'left') => void;
  /** For the log: what a connection's own turn has thrown. The connection is closed. */
  readonly onBug?: (bug: unknown) => void;
  /** For the log: a hello was accepted. */
  readonly onWelcomed?: (
    lab: string,
    name: string,
    role: Role,
    session: 'fresh' | 'resumed',
  ) => void;
  /** For the log: a frame was refused. `id` is the request's, null for what was none. */
  readonly onRefused?: (lab: string, name: string, id: RequestId | null, refusal: Refusal) => void;
}

export interface GatewayCounts {
  framesIn: number;
  framesOut: number;
  readonly refusals: Map<string, number>;
  readonly closings: Map<string, number>;
  /** What was refused because a limit is reached, by its name. */
  readonly limits: Map<string, number>;
}

const TICK_MS_MIN = 10;
const TICK_MS_MAX = 1_000;
/** Closed by the client, as one that does not come back: normal, going away, no code given. */
const LEAVING_CODES: readonly number[] = [1000, 1001, 1005];

/** The part of a WebSocketServer that is used. */
export type SocketMaker = Pick<WebSocketServer, 'handleUpgrade' | 'close'>;

function newSocketServer(): SocketMaker {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
}

export class Gateway {
  readonly counts: GatewayCounts = {
    framesIn: 0,
    framesOut: 0,
    refusals: new Map(),
    closings: new Map(),
    limits: new Map(),
  };
  /** Called for each frame of a session that was refused before it reached its lab. */
  readonly refusalListeners: ((lab: string, name: string, refusal: Refusal) => void)[] = [];
  readonly #options: GatewayOptions;
  readonly #server: SocketMaker;
  readonly #sessions: Sessions = new Map();
  readonly #connections = new Set<Connection<ClientSession>>();
  readonly #flusher: Flusher;
  readonly #shared: SessionShared = {
    close: (session, reason) => this.#advance(session, { event: 'closed', reason }),
    away: (session) => this.#advance(session, { event: 'lost', at: this.#timeIn(session) }),
    forget: (session) => this.#forget(session),
    paramsText: new ParamsText(),
    replayBytes: { all: 0 },
    overLimit: (limit) => this.countLimit(limit),
  };
  /** How many connections each address has. */
  readonly #addresses = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #state: 'open' | 'going' = 'open';
  #held = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#flusher = new Flusher(options.durability ?? NOT_DURABLE);
    this.#server = options.sockets ?? newSocketServer();
    const shortest = Math.min(options.graceMs, options.heartbeatMs);
    const tickMs = Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, shortest / 10));
    // After what has arrived meanwhile is read, as in Labs.
    const judge = () => setImmediate(() => this.tick(options.clock()));
    this.#timer = setInterval(judge, tickMs);
    this.#timer.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Bytes that clients have yet to take. */
  get bytesWaiting(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.bytesWaiting;
    return bytes;
  }

  /** Bytes that are kept for clients that resume. */
  get bytesKept(): number {
    return this.#shared.replayBytes.all;
  }

  /** A request was refused because the limit of this name is reached. */
  countLimit(limit: string): void {
    this.#count(this.counts.limits, limit);
  }

  /** The limit that keeps one more connection of `address` out; 'none' if it may come. */
  fullFor(address: string): 'CONNECTIONS_MAX' | 'CONNECTIONS_PER_ADDRESS_MAX' | 'none' {
    if (this.#connections.size >= CONNECTIONS_MAX) return 'CONNECTIONS_MAX';
    const full = this.connectionsOf(address) >= CONNECTIONS_PER_ADDRESS_MAX;
    return full ? 'CONNECTIONS_PER_ADDRESS_MAX' : 'none';
  }

  connectionsOf(address: string): number {
    return this.#addresses.get(address) ?? 0;
  }

  /** Takes over an HTTP connection that wants to become a WebSocket. */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    guarded(
      () => this.#server.handleUpgrade(request, raw, head, (socket) => this.#opened(socket, raw)),
      (bug) => {
        this.#options.onBug?.(bug);
        raw.destroy();
      },
    );
  }

  /** Runs what a turn of the event loop has for one connection: what it throws ends that one and no other. */
  #guarded(connection: Connection<ClientSession>, act: () => void): void {
    guarded(act, (bug) => {
      this.#options.onBug?.(bug);
      const { session } = connection;
      guarded(
        () => {
          if (session === 'none') this.#closeConnection(connection, 'internal');
          else this.#advance(session, { event: 'closed', reason: 'internal' });
        },
        () => connection.socket.terminate(),
      );
    });
  }

  /** Notifies all clients that the server ends, and takes no more hellos. */
  announceGoing(params: ServerNotificationParams['going']): void {
    this.#state = 'going';
    const going = { method: 'going', params };
    for (const { session } of this.#connections) {
      if (session === 'none') continue;
      const tell = () => {
        const seq = session.tell(going.method, going.params);
        if (session.actor !== 'none')
          session.lab.note({ sent: { actor: session.name, seq, tell: going } });
      };
      if (session.actor === 'none') tell();
      else session.lab.inTurn(tell);
    }
  }

  /** The session of a client that another server knew. */
  restored(lab: Lab, name: string, role: ActorRole, saved: SavedLink): ClientSession {
    const session = new ClientSession(lab, name, role, this.#shared);
    session.restore(saved);
    this.#sessions.set(sessionKey(lab.name, name), session);
    return session;
  }

  /** Nothing more is read, and nobody is taken for lost who is not read from. */
  hold(state: 'stopped' | 'free'): void {
    this.#held = state === 'stopped';
    for (const connection of this.#connections) connection.flow('storage', state);
  }

  /** Another server has the lab: its clients are let go, as by a broken line, and hear nothing that is on its way. */
  drop(lab: Lab): void {
    for (const connection of this.#connections) {
      const { session } = connection;
      if (session !== 'none' && session.lab === lab) connection.socket.terminate();
    }
  }

  /** Closes every connection. */
  close(): void {
    clearInterval(this.#timer);
    for (const session of this.#sessions.values())
      this.#advance(session, { event: 'closed', reason: 'going' });
    for (const connection of this.#connections) connection.close('going', this.#options.clock());
    this.#server.close();
  }

  /** Destroys what is left of the connections after close(). */
  terminate(): void {
    for (const connection of this.#connections) connection.socket.terminate();
  }

  tick(now: number): void {
    for (const connection of this.#connections) {
      this.#guarded(connection, () => this.#tickConnection(connection, now));
    }
    for (const session of this.#sessions.values()) {
      if (session.life.state !== 'away') continue;
      guarded(
        () => this.#tickAway(session, now),
        (bug) => session.lab.fail(bug),
      );
    }
  }

  #tickAway(session: ClientSession, now: number): void {
    const graceMs = graceIn(session.lab, this.#options.graceMs);
    // While a lab stands still no client's grace runs out.
    this.#advance(session, { event: 'tick', at: session.lab.timeAt(now), graceMs });
  }

  #tickConnection(connection: Connection<ClientSession>, now: number): void {
    connection.reap(now);
    if (connection.state === 'closing' || this.#held) return;
    const { session } = connection;
    if (connection.waitsFor !== 'none') return;
    if (session === 'none') {
      if (now - connection.openedAt >= HELLO_MS) this.#closeConnection(connection, 'no-hello');
    } else if (now - connection.pingedAt >= this.#options.heartbeatMs) {
      connection.pingedAt = now;
      this.#advance(session, { event: 'pinged', at: session.lab.timeAt(now) });
      if (connection.socket.readyState === connection.socket.OPEN) connection.socket.ping();
    }
  }

  #opened(socket: WebSocket, raw: Duplex): void {
    const connection = new Connection<ClientSession>(socket, raw, {
      flusher: this.#flusher,
      traffic: this.counts,
      overflow: (full) => this.#overflowed(full),
      address: addressOf(raw),
      now: this.#options.clock(),
    });
    this.#connections.add(connection);
    this.#addresses.set(connection.address, (this.#addresses.get(connection.address) ?? 0) + 1);
    boundGreeting(connection, raw);
    socket.on('message', (data, isBinary) => {
      const frame = data as Buffer;
      const layout = isBinary ? 'binary' : 'text';
      const arrived = () => this.#arrived(connection, frame, layout);
      const take = () => this.#inTurn(connection, () => this.#guarded(connection, arrived));
      if (connection.pace === 'as it comes') take();
      else connection.holdBack(frame.length, take);
    });
    socket.on('pong', () => {
      const { session } = connection;
      if (session === 'none') return;
      session.advance({ event: 'pong' });
      if (session.actor !== 'none') {
        session.actor.roundTripMs = Math.round(this.#options.clock() - connection.pingedAt);
      }
    });
    // ws closes by itself after an error, with 1009 for a frame that is too long; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.#guarded(connection, () => this.#lost(connection, code)));
    if (socket.protocol !== SUBPROTOCOL) this.#closeConnection(connection, 'wrong-subprotocol');
  }

  /** A busy lab hears of a frame once it has done what came before. */
  #inTurn(connection: Connection<ClientSession>, take: () => void): void {
    const { session, waitsFor } = connection;
    if (session === 'none') {
      if (waitsFor === 'none') take();
      else this.#behind(connection, waitsFor, take);
    } else if (session.actor === 'none') take();
    else this.#behind(connection, session.lab, take);
  }

  /** `take` is done when the lab is not busy; until then nothing more is read of the connection. */
  #behind(connection: Connection<ClientSession>, lab: Busy, take: () => void): void {
    if (lab.busy) lab.stop(connection.byLab);
    lab.inTurn(take);
  }

  #arrived(connection: Connection<ClientSession>, data: Buffer, layout: 'text' | 'binary'): void {
    if (connection.state === 'closing') return;
    this.counts.framesIn += 1;
    const { session } = connection;
    if (session === 'none') this.#greet(connection, data, layout);
    else this.#received(session, receive(session, data, layout));
  }

  #received(session: ClientSession, received: Received): void {
    switch (received.kind) {
      case 'request':
      case 'notify':
        this.#served(session);
        if (received.method === 'ack') session.outbox.acknowledge(acknowledged(received.params));
        else if (received.kind === 'request' && received.method === 'ping') {
          this.#pong(session, received.id);
        } else if (session.actor !== 'none') {
          session.lab.take(session.actor, received, session.received);
        }
        return;
      case 'answer':
        this.#served(session);
        if (session.actor === 'none') return;
        session.outbox.acknowledge(received.askedIn);
        session.lab.takeAnswer(
          session.actor,
          received.id,
          received.outcome,
          received.said,
          session.received,
        );
        return;
      case 'refused':
        this.#refused(session, received);
        return;
      case 'fatal':
        this.#fatal(session, received);
    }
  }

  /** Not a matter of the machine. It is no sign of life either: see leases.ts. */
  #pong(session: ClientSession, id: RequestId): void {
    const { lab, actor, name } = session;
    const result: Pong = {
      received: session.received,
      sent: session.outbox.last,
      state: actor !== 'none' && actor.fenced ? 'fenced' : 'attached',
      leaseLeftMs: actor === 'none' ? null : lab.leaseLeft(actor),
    };
    if (actor !== 'none') lab.note({ took: { actor: name, seq: session.received } });
    const seq = session.pong(id, result);
    if (actor !== 'none') lab.note({ sent: { actor: name, seq, pong: { id, result } } });
  }

  #served(session: ClientSession): void {
    session.frameTaken();
    const { life } = session;
    if (life.state === 'attached' && life.refusals > 0) session.advance({ event: 'served' });
  }

  #refused(session: ClientSession, { id, refusal, seq }: Refused): void {
    this.#count(this.counts.refusals, refusal.code);
    this.#options.onRefused?.(session.lab.name, session.name, id, refusal);
    this.#reportRefusal(session, refusal);
    if (seq === 'taken') {
      session.frameTaken();
      if (session.actor !== 'none') {
        session.lab.note({ took: { actor: session.name, seq: session.received } });
      }
    }
    this.#refuse(session, id, refusal);
    this.#advance(session, { event: 'refused' });
  }

  #refuse(session: ClientSession, id: RequestId | null, refusal: Refusal): void {
    const seq = session.refuseRequest(id, refusal);
    if (session.actor === 'none') return;
    session.lab.note({ sent: { actor: session.name, seq, refuse: { id, refusal } } });
  }

  #reportRefusal({ lab, name }: ClientSession, refusal: Refusal): void {
    for (const listener of this.refusalListeners) listener(lab.name, name, refusal);
  }

  #fatal(session: ClientSession, { reason, refusal }: Fatal): void {
    this.#count(this.counts.refusals, refusal.code);
    this.#reportRefusal(session, refusal);
    this.#refuse(session, null, refusal);
    const at = this.#timeIn(session);
    // A gap is mended by a resume: the client learns what has arrived and sends the rest again.
    const mendable = reason === 'seq-gap';
    this.#advance(
      session,
      mendable ? { event: 'interrupted', reason, at } : { event: 'closed', reason },
    );
  }

  #greet(connection: Connection<ClientSession>, data: Buffer, layout: 'text' | 'binary'): void {
    const greeting = receiveHello(data, layout);
    if (greeting.kind === 'refused') {
      this.#refuseConnection(connection, greeting.id, greeting.refusal);
      return;
    }
    if (this.#state === 'going') {
      this.#refuseConnection(connection, greeting.id, refuse('going', '', ''));
      return;
    }
    if (this.#options.elsewhere !== undefined && this.#isElsewhere(connection, greeting)) return;
    const lab = this.#options.labs.find(greeting.params.lab);
    if (lab === 'none' || !lab.busy || greeting.params.role === 'observer') {
      this.#welcome(connection, greeting);
      return;
    }
    connection.waitsFor = lab;
    this.#behind(connection, lab, () =>
      this.#guarded(connection, () => {
        connection.waitsFor = 'none';
        // A client that comes again finds the lab as it is then: perhaps led to where it was.
        if (lab.state === 'closed') connection.socket.terminate();
        else if (connection.state === 'greeting') this.#welcome(connection, greeting);
      }),
    );
  }

  /** Returns whether the hello is not for this server, or another is asked whether it is. */
  #isElsewhere(connection: Connection<ClientSession>, greeting: Hello): boolean {
    const { elsewhere = ALONE, labs } = this.#options;
    const { id, params } = greeting;
    if (elsewhere.stalled() !== 'none') {
      this.#refuseConnection(connection, id, refuse('stalled', '', ''));
      return true;
    }
    const here =
      params.resume === undefined ? knownLab(this.#options, params.lab) : labs.find(params.lab);
    if (here !== 'none') return false;
    const opens = opensLab(this.#options, params);
    const asked = new AskedElsewhere();
    connection.waitsFor = asked;
    const found = (where: Whereabouts): void => {
      connection.waitsFor = 'none';
      const refusal = elsewhereRefusal(where);
      if (refusal !== 'none') this.#refuseConnection(connection, id, refusal);
      else if (connection.state === 'greeting') this.#welcome(connection, greeting);
      if (opens && where.state === 'here' && labs.get(params.lab) === 'none') {
        elsewhere.notOpened(params.lab);
      }
      asked.answered();
    };
    elsewhere.find(params.lab, opens ? 'create' : 'never').then(
      (where) => this.#guarded(connection, () => found(where)),
      (bug) => this.#options.onBug?.(bug),
    );
    return true;
  }

  /** Whatever came before is recorded, and so is what this leads to before its answer leaves. */
  #welcome(connection: Connection<ClientSession>, greeting: Hello): void {
    const welcomed = welcome(
      this.#options,
      this.#sessions,
      { ...greeting, address: connection.address },
      this.#shared,
    );
    if ('code' in welcomed) {
      this.#refuseConnection(connection, greeting.id, welcomed);
      return;
    }
    connection.state = 'attached';
    connection.session = welcomed.session;
    const { lab, name, role, epoch } = welcomed.session;
    this.#options.onWelcomed?.(lab.name, name, role, epoch === 1 ? 'fresh' : 'resumed');
    welcomed.session.connection = connection;
    for (const frame of welcomed.frames) connection.send(frame);
    const { actor } = welcomed.session;
    if (actor !== 'none' && actor.slowMs > 0) connection.slow(actor.slowMs);
  }

  #refuseConnection(
    connection: Connection<ClientSession>,
    id: RequestId | null,
    refusal: Refusal,
  ): void {
    this.#count(this.counts.refusals, refusal.code);
    connection.send(answerText(1, id, refusal));
  }

  #overflowed(connection: Connection<ClientSession>): void {
    const { session } = connection;
    if (session === 'none') this.#closeConnection(connection, 'too-slow');
    else
      this.#advance(session, {
        event: 'interrupted',
        reason: 'too-slow',
        at: this.#timeIn(session),
      });
  }

  #lost(connection: Connection<ClientSession>, code: number): void {
    this.#connections.delete(connection);
    const others = (this.#addresses.get(connection.address) ?? 1) - 1;
    if (others === 0) this.#addresses.delete(connection.address);
    else this.#addresses.set(connection.address, others);
    const { session } = connection;
    connection.session = 'none';
    // What was held back of its frames is lost with it.
    connection.state = 'closing';
    if (session === 'none') return;
    session.connection = 'none';
    const leaves = LEAVING_CODES.includes(code) || session.role === 'observer';
    const at = this.#timeIn(session);
    this.#advance(session, leaves ? { event: 'left' } : { event: 'lost', at });
  }

  /** Moves a session on, and does what its new state means for socket and lab. */
  #advance(session: ClientSession, event: SessionEvent): void {
    const before = session.life.state;
    session.advance(event);
    const { life } = session;
    if (life.state === before) return;
    if (life.state === 'over') this.#over(session, life.why);
    if (life.state !== 'away') return;
    if (life.why !== 'lost') this.#dropConnection(session, life.why);
    if (session.actor === 'none') this.#advance(session, { event: 'left' });
    else session.lab.away(session.actor);
  }

  #over(session: ClientSession, why: CloseReason | 'left'): void {
    if (why !== 'left') this.#dropConnection(session, why);
    this.#forget(session);
    if (session.actor === 'none') session.lab.feed.remove(session);
    else session.lab.leave(session.actor);
    this.#options.onClosed(session.lab.name, session.name, why);
  }

  #forget(session: ClientSession): void {
    const key = sessionKey(session.lab.name, session.name);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    session.outbox.forget();
  }

  #dropConnection(session: ClientSession, reason: CloseReason): void {
    const { connection } = session;
    session.connection = 'none';
    if (connection !== 'none') this.#closeConnection(connection, reason);
  }

  #closeConnection(connection: Connection<ClientSession>, reason: CloseReason): void {
    this.#count(this.counts.closings, reason);
    connection.close(reason, this.#options.clock());
  }

  #timeIn(session: ClientSession): number {
    return session.lab.timeAt(this.#options.clock());
  }

  #count(counts: Map<string, number>, what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
}

/** The params of an `ack`, which the schema has checked. */
function acknowledged(params: unknown): number {
  return (params as { readonly seq: number }).seq;
}

/** Of the peer; empty if it is gone already. */
function addressOf(raw: Duplex): string {
  return raw instanceof Socket ? (raw.remoteAddress ?? '') : '';
}

/** A connection that has yet to say hello may not send much: frames that do not end would be kept for it. */
function boundGreeting(connection: Connection<ClientSession>, raw: Duplex): void {
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (connection.state === 'attached') raw.off('data', count);
    else if (bytes > HELLO_BYTES_MAX) raw.destroy();
  };
  raw.on('data', count);
}
