/**
 * For tests: a gateway on a real socket, with a machine that answers by script, and a client that sees every frame.
 * Time is moved by hand.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import type { LabOptions } from '../live/lab.ts';
import { Labs } from '../live/labs.ts';
import type { Machine, MachineFactory } from '../live/machine-port.ts';
import type { Inbound, MachineSinks, Outbound } from '../machine/remote/inbound.ts';
import { decodeBinaryFrame, encodeBinaryFrame } from '../protocol/binary-frame.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import { Gateway } from './gateway.ts';

/** Takes everything down, and answers each request with {} unless its method is in `silent`. */
export class ScriptedMachine implements Machine {
  busy = false;
  /** Requests of these are long: the machine is busy with them until done(). */
  readonly long = new Set<string>();
  readonly accepted: Inbound[] = [];
  readonly silent = new Set<string>();
  /** What `dma_read` answers. */
  pages: readonly PageContents[] = [];
  stalling: readonly string[] = [];
  readonly #sinks: MachineSinks;
  #n = 0;

  constructor(sinks: MachineSinks) {
    this.#sinks = sinks;
  }

  accept(inbound: Inbound): void {
    this.accepted.push(inbound);
    this.note(inbound.kind, 'actor' in inbound ? inbound.actor : 'nobody');
    if (inbound.kind === 'fence') {
      this.tell(inbound.actor, 'fenced', { why: 'It was late.', remedy: 'Come back.' });
    }
    if (inbound.kind !== 'request') return;
    if (this.long.has(inbound.method)) this.busy = true;
    else if (!this.silent.has(inbound.method)) this.answer(inbound);
  }

  goOn(budget: Parameters<Machine['goOn']>[0]): void {
    if (this.busy) budget.left = 0;
  }

  done(): void {
    this.busy = false;
  }

  answer({ actor, id, method }: Extract<Inbound, { kind: 'request' }>): void {
    const contents = method === 'dma_read' ? this.pages : [];
    this.#send({ kind: 'response', actor, id, outcome: { ok: true, result: {} }, contents });
  }

  ask(actor: string, id: number, method: string, params: unknown): void {
    this.#send({ kind: 'question', actor, id, method, params });
  }

  tell(actor: string, method: string, params: unknown): void {
    this.#send({ kind: 'tell', actor, method, params });
  }

  note(text: string, actor: string): void {
    this.#n += 1;
    this.#sinks.event({ n: this.#n, actor, task: 'test', kind: 'note', text });
  }

  view() {
    return { ptes: [], mirrors: [], vmas: [] };
  }

  stallers(): readonly string[] {
    return this.stalling;
  }

  tasks() {
    return [];
  }

  knows(): boolean {
    return false;
  }

  eventsAfter(): 'too-old' {
    return 'too-old';
  }

  digest(): string {
    return `${this.accepted.length}`;
  }

  #send(outbound: Outbound): void {
    this.#sinks.outbound(outbound);
  }
}

export interface Harness {
  readonly url: string;
  readonly gateway: Gateway;
  readonly labs: Labs;
  /** The machine that was made last. */
  machine(): ScriptedMachine;
  /** Moves time on, and lets everybody look at the clock. */
  pass(ms: number): void;
  /** Moves time on as for a server that stands still: nobody looks at the clock before its timer does. */
  standStill(ms: number): void;
  /** What labs and connections have thrown. A test that means it empties this: what is left fails close(). */
  readonly bugs: unknown[];
  close(): Promise<void>;
}

export const SHORT_LEASE_MS = 1_000;
export const SHORT_GRACE_MS = 3_000;
export const SHORT_HEARTBEAT_MS = 10_000;

/** `realMachine` takes the place of the scripted one. */
export async function startHarness(
  realMachine?: MachineFactory,
  record: LabOptions['record'] = 'none',
  joinBy: 'name' | 'code' = 'name',
): Promise<Harness> {
  let now = 0;
  const bugs: unknown[] = [];
  let latest: ScriptedMachine | undefined;
  const scripted: MachineFactory = (_config, sinks) => {
    latest = new ScriptedMachine(sinks);
    return latest;
  };
  const factory = realMachine ?? scripted;
  const clock = () => now;
  const labs = new Labs({
    factory,
    clock,
    leaseMs: SHORT_LEASE_MS,
    record,
    onBug: (_lab, bug) => bugs.push(bug),
  });
  const gateway = new Gateway({
    labs,
    clock,
    unknownLabs: 'on-demand',
    joinBy,
    graceMs: SHORT_GRACE_MS,
    heartbeatMs: SHORT_HEARTBEAT_MS,
    model: { hash: 'none', version: '0' },
    onClosed: () => undefined,
    onBug: (bug) => bugs.push(bug),
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  await listening(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    gateway,
    labs,
    bugs,
    machine: () => {
      if (latest === undefined) throw new Error('no lab is open yet');
      return latest;
    },
    standStill: (ms) => {
      now += ms;
      // Long enough for the timers to be due, all at once, in the next turn.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SHORT_LEASE_MS / 2);
    },
    pass: (ms) => {
      now += ms;
      labs.tick(now);
      gateway.tick(now);
    },
    close: async () => {
      gateway.close();
      gateway.terminate();
      labs.close();
      await new Promise((resolve) => server.close(resolve));
      if (bugs.length > 0) throw bugs[0];
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

export interface ReceivedFrame {
  readonly seq: number;
  readonly id?: number | string | null;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly result?: any;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: {
      readonly errno: string;
      readonly code: string;
      readonly path: string;
      readonly bound: string;
      readonly found?: string;
      readonly seq?: number;
      readonly question?: number | string;
      readonly remedy: string;
      readonly definite: boolean;
    };
  };
  readonly pages: readonly PageContents[];
}

/** A client that hides nothing: every frame is sent and seen as it is. */
export class RawClient {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** The `seq` of the frame that was numbered last. */
  sent = 0;
  readonly #frames: ReceivedFrame[] = [];
  readonly #waiting: ((frame: ReceivedFrame) => void)[] = [];

  constructor(url: string, protocols: readonly string[] = [SUBPROTOCOL]) {
    this.socket = new WebSocket(url, [...protocols], { perMessageDeflate: false });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data, isBinary) => this.#arrived(data as Buffer, isBinary));
  }

  stopReading(): void {
    // By its prototype: a call of this name by itself is one of ours that yields.
    WebSocket.prototype.pause.call(this.socket);
  }

  readOn(): void {
    this.socket.resume();
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('close', reject);
    });
    return this;
  }

  /** The next frame of the server. */
  next(): Promise<ReceivedFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Sends an object as it is. */
  sendRaw(value: unknown): void {
    this.socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** Sends an object with jsonrpc and the next seq. */
  send(body: object, pages: readonly PageContents[] = []): void {
    this.sent += 1;
    const text = JSON.stringify({ jsonrpc: '2.0', seq: this.sent, ...body });
    this.socket.send(pages.length === 0 ? text : encodeBinaryFrame(text, pages));
  }

  /** Asks, and waits for the next frame. */
  ask(id: number, method: string, params: unknown = {}): Promise<ReceivedFrame> {
    this.send({ id, method, params });
    return this.next();
  }

  /** To the lab `test`, which is opened for a device or a CPU. */
  hello(role: string, name: string, more: object = {}): Promise<ReceivedFrame> {
    const params = { protocol: SUBPROTOCOL, lab: 'test', role, name, create: true, ...more };
    return this.ask(0, 'hello', params);
  }

  #arrived(data: Buffer, isBinary: boolean): void {
    const frame = isBinary ? binary(data) : { ...JSON.parse(data.toString()), pages: [] };
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#frames.push(frame);
    else waiting(frame);
  }
}

function binary(data: Buffer): ReceivedFrame {
  const decoded = decodeBinaryFrame(data);
  if ('bound' in decoded) throw new Error(decoded.bound);
  return { ...JSON.parse(decoded.json), pages: decoded.pages };
}

/** A client of this role that has said hello. */
export async function joined(harness: Harness, role: string, name: string): Promise<RawClient> {
  const client = await new RawClient(harness.url).opened();
  const answer = await client.hello(role, name);
  if (answer.error !== undefined) throw new Error(answer.error.message);
  return client;
}
