/**
 * A client, a network and a server with its disk, as a world for the explorer: the client's Connection, the server's
 * Gateway, Lab and journal are those that run everywhere; sockets, timers, the disk and death are in the hands of the
 * scheduler. The machine is a list of what it was asked.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Connection } from '../../clients/sdk/connection.ts';
import type { SocketLike } from '../../clients/sdk/web-socket.ts';
import type { Explored } from '../explorer/explored.ts';
import { testFailure } from '../explorer/failure.fixture.ts';
import type { Failure } from '../explorer/failure.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Durability } from '../journal/durability.ts';
import { EventDigest } from '../journal/event-digest.ts';
import { JOURNAL_FORMAT, JOURNAL_VERSION } from '../journal/journal-format.ts';
import { summedLine } from '../journal/line-sum.ts';
import { journalLinesOf } from '../journal/read-journal.ts';
import { type Recorder, recorderFrom } from '../journal/recorder.ts';
import type { LabInit } from '../live/lab-init.ts';
import { Labs } from '../live/labs.ts';
import type { Machine, MachineFactory } from '../live/machine-port.ts';
import { EMPTY_SCENE } from '../live/scene.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext, wake } from '../task/context.ts';
import { objectId } from '../task/object-id.ts';
import { type Task, waitUntil } from '../task/task.ts';

/** What may happen, and how often. */
export interface Bound {
  /** Requests of the client, each behind the other without waiting for answers. */
  readonly requests: number;
  /** Connections that break, with all that is under way on them. */
  readonly cuts: number;
  /** Frames that arrive twice, at the server. */
  readonly doubles: number;
  /** For each death of the server: at once (0), or in the middle of its n-th write from then on. */
  readonly deaths: readonly number[];
  /** Requests that take the machine more than one turn of the event loop; the first ones. 0 if absent. */
  readonly long?: number;
  /** 'power': what was not on the disk is lost with the process. */
  readonly death: 'kill' | 'power';
  /** A mutant of the server, to see that the search finds it. */
  readonly mutant?: 'answers before the disk' | 'forgets a key';
}

const STATE = objectId('user', 0, 0);
const SECRET = /\\?"(?:resumeToken|token|hash|sum|digest)\\?":\\?"[^"\\]*\\?"/g;
const MODEL = { hash: 'model', version: '0' };
const CONFIG = { patch: 'stock' };
/** More than passes in any of the worlds. */
const FOR_EVER_MS = 1e9;

/** A line of text, or the code of a close. */
type Item = string | number;

/** One connection, with what is under way on it. */
interface Line {
  readonly up: Item[];
  readonly down: Item[];
  client: SocketLike | 'gone';
  server: EventEmitter | 'gone';
}

/** Lines of text; a process that is killed loses none, one without power those that were not synced. */
class Disk {
  lines: string[] = [];
  synced = 0;
  torn = '';
  /** Writes until the process dies in the middle of one. */
  doom = 0;
  alive = false;

  write(line: string): void {
    if (!this.alive) return;
    if (this.doom > 0) {
      this.doom -= 1;
      if (this.doom === 0) {
        this.torn = line.slice(0, line.length / 2);
        this.alive = false;
        return;
      }
    }
    this.lines.push(line);
  }

  get text(): string {
    return this.lines.join('') + this.torn;
  }
}

/** A world that can say which state it is in. */
export interface StatedWorld extends Explored {
  state(): string;
  isDone(): boolean;
}

class World implements StatedWorld {
  readonly scheduler: Scheduler;
  readonly #bound: Bound;
  readonly #context = newTaskContext();
  readonly #disk = new Disk();
  #network: Line[] = [];
  readonly #safe: (() => void)[] = [];
  readonly #timers: { readonly what: string; readonly fires: () => void }[] = [];
  readonly #ticks: (() => void)[] = [];
  readonly #answers: unknown[] = [];
  readonly #trouble: string[] = [];
  readonly #sessions: string[] = [];
  readonly #client: Connection;
  #accepted: Inbound[] = [];
  #gateway: Gateway | 'none' = 'none';
  #left: { cuts: number; doubles: number; deaths: number; long: number };
  /** What the server does in its next turn. */
  readonly #turns: (() => void)[] = [];
  #asked = 0;

  constructor(bound: Bound) {
    this.#bound = bound;
    const { cuts, doubles, deaths, long = 0 } = bound;
    this.#left = { cuts, doubles, deaths: deaths.length, long };
    this.scheduler = new Scheduler(this.#context);
    this.#isolated(() => this.#start());
    this.#client = this.#isolated(() => this.#newClient());
    this.#spawn(
      'client',
      'asks',
      bound.requests,
      () => true,
      () => this.#ask(),
    );
    this.#spawn(
      'client',
      'tries again',
      'ever',
      () => this.#timers.length > 0,
      () => this.#timers.shift()?.fires(),
    );
    this.#spawn(
      'network',
      'delivers to the server',
      'ever',
      () => this.#upward() !== 'none',
      () => this.#deliverUp(),
    );
    this.#spawn(
      'network',
      'delivers to the client',
      'ever',
      () => this.#downward() !== 'none',
      () => this.#deliverDown(),
    );
    this.#spawn(
      'network',
      'breaks',
      bound.cuts,
      () => this.#present() !== 'none',
      () => this.#cut(),
    );
    this.#spawn(
      'network',
      'doubles',
      bound.doubles,
      () => this.#upward() !== 'none',
      () => this.#double(),
    );
    this.#spawn(
      'server',
      'dies',
      bound.deaths.length,
      () => this.#disk.alive && this.#disk.doom === 0,
      () => this.#doom(),
    );
    this.#spawn(
      'server',
      'starts',
      'ever',
      () => !this.#disk.alive,
      () => this.#start(),
    );
    this.#spawn(
      'server',
      'has another turn',
      'ever',
      () => this.#disk.alive && this.#turns.length > 0,
      () => this.#turns.shift()?.(),
    );
    this.#spawn(
      'disk',
      'syncs',
      'ever',
      () => this.#safe.length > 0,
      () => this.#sync(),
    );
    // A client whose first hello was heard and whose answer was lost waits until the name is free again.
    const unknown = () => this.#client.session === 'none' && this.#network.length === 0;
    this.#spawn('server', 'expires sessions', 'ever', unknown, () => this.#expire());
    // To where each waits: the beginning of a task is nothing that happens.
    for (const task of this.scheduler.readyTasks()) this.scheduler.step(task);
  }

  /** A task that does `act` so often, each time as one step, when it `can`; it need not if all is done. */
  #spawn(
    actor: string,
    name: string,
    times: number | 'ever',
    can: () => boolean,
    act: () => void,
  ): void {
    const world = this;
    function* task(): Task<void> {
      for (let done = 0; times === 'ever' || done < times; done += 1) {
        yield waitUntil(
          `${actor}.${name.replaceAll(' ', '_')}`,
          STATE,
          () => world.isDone() || can(),
        );
        if (world.isDone()) return;
        world.#isolated(act);
        world.#noticeDeath();
        world.#forgetLines();
        wake(world.#context, STATE);
      }
    }
    this.scheduler.spawn(actor, name, task());
  }

  /** Runs `act` with timers and ticks of the world's own: nothing of it happens later by itself. */
  #isolated<Value>(act: () => Value): Value {
    const real = { setTimeout, setInterval, setImmediate, nextTick: process.nextTick };
    const none = { unref: () => none, ref: () => none };
    const never = () => none;
    Object.assign(globalThis, {
      setTimeout: (fires: () => void) => {
        this.#timers.push({ what: 'tries', fires });
        return none;
      },
      setInterval: never,
      setImmediate: (fires: () => void) => {
        this.#turns.push(fires);
        return none;
      },
    });
    Object.assign(process, { nextTick: (then: () => void) => this.#ticks.push(then) });
    try {
      const value = act();
      for (let tick = this.#ticks.shift(); tick !== undefined; tick = this.#ticks.shift()) tick();
      return value;
    } finally {
      const { nextTick, ...timers } = real;
      Object.assign(globalThis, timers);
      Object.assign(process, { nextTick });
    }
  }

  /** Whether all was answered, or nothing more will be. */
  isDone(): boolean {
    return this.#answers.length === this.#bound.requests || this.#client.state === 'closed';
  }

  // The client.

  #newClient(): Connection {
    return new Connection(
      {
        url: 'ws://test',
        lab: 'room',
        role: 'cpu',
        name: 'cpu0',
        connectMs: FOR_EVER_MS,
        socket: () => this.#connects(),
      },
      {
        asked: () => this.#trouble.push('it was asked'),
        notified: () => undefined,
        settled: () => undefined,
        // A frame that arrives twice is refused; the connection closes, and the session goes on.
        complained: ({ message }) => {
          if (!message.startsWith('seq:')) this.#trouble.push(message);
        },
        greeted: ({ session }) => this.#sessions.push(session),
      },
    );
  }

  #ask(): void {
    this.#asked += 1;
    const n = this.#asked;
    this.#client.request('store', { address: '0x1000', value: `0x${n}` }, [], (answer) => {
      this.#answers.push(answer.ok ? answer.result : answer.refusal.code);
    });
  }

  #connects(): SocketLike {
    const up: Item[] = [];
    const line: Line = { up, down: [], client: 'gone', server: 'gone' };
    const socket: SocketLike = {
      binaryType: '',
      protocol: 'mmrace.v1',
      bufferedAmount: 0,
      send: (frame) => up.push(String(frame)),
      close: (code) => {
        line.client = 'gone';
        line.down.length = 0;
        up.push(code ?? 1005);
      },
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    line.client = socket;
    this.#network.push(line);
    this.#timers.push({ what: 'reaches', fires: () => this.#reaches(line) });
    return socket;
  }

  /** The connection stands, or there is no server. */
  #reaches(line: Line): void {
    if (line.client === 'gone') return;
    if (this.#gateway === 'none' || !this.#disk.alive) {
      line.down.push(1006);
      return;
    }
    const server = Object.assign(new EventEmitter(), {
      protocol: 'mmrace.v1',
      readyState: 1,
      OPEN: 1,
      ping: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      close: (code: number) => line.down.push(code),
      terminate: () => line.down.push(1006),
    });
    line.server = server;
    // Its bytes go to handleUpgrade() as frames, so who counts them before the hello counts none.
    const raw = {
      writable: true,
      writableLength: 0,
      on: () => raw,
      off: () => raw,
      write: (bytes: string | Buffer) => {
        if (this.#disk.alive) line.down.push(...payloads(Buffer.from(bytes as string, 'latin1')));
      },
    };
    // The socket is that of handleUpgrade() below.
    this.#gateway.upgrade(
      server as unknown as IncomingMessage,
      raw as unknown as Duplex,
      Buffer.alloc(0),
    );
    (line.client.onopen as (() => void) | null)?.();
  }

  // The network.

  /** Those that both sides have done with. */
  #forgetLines(): void {
    this.#network = this.#network.filter(
      ({ client, server }) => client !== 'gone' || server !== 'gone',
    );
  }

  #present(): Line | 'none' {
    const line = this.#network.at(-1);
    return line !== undefined && line.client !== 'gone' && line.server !== 'gone' ? line : 'none';
  }

  #upward(): Line | 'none' {
    const waiting = this.#network.find((line) => line.up.length > 0 && line.server !== 'gone');
    return waiting ?? 'none';
  }

  #downward(): Line | 'none' {
    return this.#network.find((line) => line.down.length > 0 && line.client !== 'gone') ?? 'none';
  }

  #deliverUp(): void {
    const line = this.#upward();
    if (line === 'none' || line.server === 'gone') return;
    const item = line.up.shift();
    if (!this.#disk.alive) return;
    if (typeof item === 'string') line.server.emit('message', Buffer.from(item), false);
    else {
      const { server } = line;
      line.server = 'gone';
      server.emit('close', item);
    }
  }

  #deliverDown(): void {
    const line = this.#downward();
    if (line === 'none' || line.client === 'gone') return;
    const item = line.down.shift();
    const { client } = line;
    if (typeof item === 'string') {
      (client.onmessage as ((event: { data: string }) => void) | null)?.({ data: item });
      return;
    }
    line.client = 'gone';
    // A server that has closed hears that the client agrees.
    line.up.push(item ?? 1006);
    (client.onclose as ((event: object) => void) | null)?.({ code: item, reason: '' });
  }

  /** All that is under way is lost. Each side hears of it in its own time. */
  #cut(): void {
    const line = this.#present();
    this.#left.cuts -= 1;
    if (line === 'none') return;
    line.up.splice(0, line.up.length, 1006);
    line.down.splice(0, line.down.length, 1006);
  }

  #double(): void {
    const line = this.#upward();
    this.#left.doubles -= 1;
    if (line !== 'none' && typeof line.up[0] === 'string') line.up.unshift(line.up[0]);
  }

  // The server.

  #doom(): void {
    const { deaths } = this.#bound;
    const writes = deaths[deaths.length - this.#left.deaths] ?? 0;
    this.#left.deaths -= 1;
    if (writes === 0) this.#disk.alive = false;
    else this.#disk.doom = writes;
  }

  /** Connections of a dead server break when the client has read what it had sent. */
  #noticeDeath(): void {
    if (this.#disk.alive) return;
    this.#safe.length = 0;
    this.#turns.length = 0;
    for (const line of this.#network) {
      if (line.server === 'gone') continue;
      line.server = 'gone';
      line.up.length = 0;
      if (line.client !== 'gone') line.down.push(1006);
    }
  }

  #start(): void {
    this.#noticeDeath();
    if (this.#bound.death === 'power') {
      this.#disk.lines = this.#disk.lines.slice(0, this.#disk.synced);
      if (this.#disk.lines.length === 0) this.#disk.torn = '';
    }
    this.#disk.alive = true;
    this.#disk.doom = 0;
    this.#accepted = [];
    const begun = this.#disk.lines.length > 0;
    const labs = new Labs({
      factory: this.#factory,
      leaseMs: FOR_EVER_MS,
      clock: () => 0,
      record: () => this.#record(),
      onBug: (_, bug) => this.#trouble.push(String(bug)),
    });
    const gateway = new Gateway({
      labs,
      clock: () => 0,
      model: MODEL,
      unknownLabs: 'refused',
      graceMs: FOR_EVER_MS,
      heartbeatMs: FOR_EVER_MS,
      durability: this.#durability,
      onClosed: () => undefined,
      onBug: (bug) => this.#trouble.push(String(bug)),
      sockets: {
        handleUpgrade: (request, _raw, _head, then) =>
          then(request as unknown as WebSocket, request),
        close: () => undefined,
      },
    });
    this.#gateway = gateway;
    if (begun) this.#restore(labs, gateway);
    else labs.open('room', CONFIG, 'kept');
    this.#disk.synced = begun ? this.#disk.synced : this.#disk.lines.length;
  }

  #expire(): void {
    if (this.#gateway !== 'none' && this.#disk.alive) this.#gateway.tick(2 * FOR_EVER_MS);
  }

  #restore(labs: Labs, gateway: Gateway): void {
    const beginning: LabInit = {
      scene: EMPTY_SCENE,
      begins: 'restored',
      generation: 0,
      joinCode: 'BCDFG',
      presenterToken: 'secret',
    };
    const lab = labs.restoring('room', CONFIG, 'kept', beginning);
    if (lab === 'too-many') return;
    const replay = lab.restoring((name, role, saved) => gateway.restored(lab, name, role, saved));
    let sum = 0;
    try {
      for (const line of journalLinesOf(this.#disk.text, 'disk')) {
        if (line.kind !== 'header') replay.take(line);
        if (line.sum !== 'none') sum = line.sum;
      }
    } catch (error) {
      this.#trouble.push(String(error));
    }
    this.#disk.torn = '';
    lab.restored(this.#recorder(sum, replay));
  }

  #record(): Recorder {
    const { line, sum } = summedLine(
      JSON.stringify({
        format: JOURNAL_FORMAT,
        version: JOURNAL_VERSION,
        model: MODEL,
        lab: 'room',
        config: CONFIG,
      }),
      0,
    );
    this.#disk.write(line);
    return this.#recorder(sum, { n: 0, digest: new EventDigest() });
  }

  #recorder(before: number, soFar: { readonly n: number; readonly digest: EventDigest }): Recorder {
    let sum = before;
    return recorderFrom((json) => {
      if (this.#bound.mutant === 'forgets a key' && json.includes('"resumed"')) return;
      const summed = summedLine(json, sum);
      sum = summed.sum;
      this.#disk.write(summed.line);
    }, soFar);
  }

  readonly #durability: Durability = {
    mode: 'each',
    wrote: () => undefined,
    closes: () => undefined,
    syncNow: () => {
      this.#sync();
      return 'safe';
    },
    whenSafe: (then) => {
      const safe = this.#disk.synced === this.#disk.lines.length && this.#safe.length === 0;
      if (safe || this.#bound.mutant === 'answers before the disk') return 'now';
      this.#safe.push(then);
      return 'later';
    },
  };

  #sync(): void {
    if (!this.#disk.alive) return;
    this.#disk.synced = this.#disk.lines.length;
    for (const then of this.#safe.splice(0)) then();
  }

  readonly #factory: MachineFactory = (_config, sinks): Machine => {
    let n = 0;
    let rest: (() => void) | 'none' = 'none';
    return {
      accept: (inbound, budget) => {
        this.#accepted.push(inbound);
        n += 1;
        sinks.event({
          n,
          actor: 'cpu0',
          task: 'test',
          kind: 'note',
          text: JSON.stringify(inbound),
        });
        if (inbound.kind !== 'request') return;
        const { actor, id } = inbound;
        const result = stored(this.#accepted).length;
        const responds = () =>
          sinks.outbound({
            kind: 'response',
            actor,
            id,
            outcome: { ok: true, result },
            contents: [],
          });
        if (budget === undefined || this.#left.long === 0) return responds();
        this.#left.long -= 1;
        budget.left = 0;
        rest = responds;
      },
      view: () => ({ ptes: [], mirrors: [], vmas: [] }),
      digest: () => stored(this.#accepted).join(),
      goOn: () => {
        if (rest !== 'none') rest();
        rest = 'none';
      },
      get busy() {
        return rest !== 'none';
      },
      stallers: () => [],
      tasks: () => [],
      knows: () => false,
      eventsAfter: () => 'too-old',
    };
  };

  // What has to hold.

  failure(): Failure | 'none' {
    const [trouble] = this.#trouble;
    if (trouble !== undefined) return testFailure(trouble);
    if (this.#client.state === 'closed') return testFailure('the session is over');
    if (this.#sessions.slice(1).includes('fresh')) return testFailure('a session was lost');
    const values = stored(this.#accepted);
    // Each once, in order.
    if (values.some((value, at) => value !== `0x${at + 1}`)) return testFailure(`taken: ${values}`);
    if (this.#answers.some((answer, at) => answer !== at + 1)) {
      return testFailure(`answered: ${JSON.stringify(this.#answers)}`);
    }
    // What was answered is on the disk, whatever happens to the server.
    const kept =
      this.#bound.death === 'power'
        ? this.#disk.lines.slice(0, this.#disk.synced)
        : this.#disk.lines;
    const safe = kept.filter((line) => line.includes('"method":"store"')).length;
    return safe < this.#answers.length
      ? testFailure('an answer was acknowledged and is lost')
      : 'none';
  }

  failureAtEnd(stuck: readonly unknown[]): Failure | 'none' {
    if (this.#answers.length < this.#bound.requests) {
      return testFailure(`${stuck.length} tasks wait for ever, ${this.#answers.length} answers`);
    }
    return this.failure();
  }

  windowEntered(): boolean {
    return this.#sessions.length > 1;
  }

  /** Two worlds with the same have the same future. Secrets and sums are as good as each other. */
  state(): string {
    const { session, state } = this.#client;
    const { lines, synced, torn, doom, alive } = this.#disk;
    return JSON.stringify({
      client: [state, session === 'none' ? 0 : session.epoch, this.#asked, this.#answers],
      timers: this.#timers.map(({ what }) => what),
      network: this.#network.map(({ up, down, client, server }) => [
        up,
        down,
        client === 'gone',
        server === 'gone',
      ]),
      disk: [lines, synced, torn, doom, alive, this.#safe.length],
      turns: this.#turns.length,
      left: this.#left,
      seen: [this.#sessions, stored(this.#accepted), this.#trouble],
    }).replaceAll(SECRET, '');
  }

  outcome(): string {
    return `${this.#sessions.length} hellos`;
  }

  alsoReads(): readonly [] {
    return [];
  }
}

export function newSessionsWorld(bound: Bound): () => StatedWorld {
  return () => new World(bound);
}

function stored(accepted: readonly Inbound[]): string[] {
  return accepted.flatMap((inbound) =>
    inbound.kind === 'request' ? [(inbound.params as { readonly value: string }).value] : [],
  );
}

/** What stands in the frames of a server, which are not masked. */
function payloads(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    found.push(bytes.toString('utf8', at + head, at + head + length));
    at += head + length;
  }
  return found;
}
