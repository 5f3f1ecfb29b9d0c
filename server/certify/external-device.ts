/**
 * A device of a scenario whose driver is a client on the other side of a wire. Its frames wait here, in both
 * directions, until the schedule grants them. To the scenario it is a driver like any other.
 */

import type { DmirrorResult, DmirrorVerb } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import type {
  DriverOptions,
  DriverVariant,
  LabDevice,
} from '../../clients/drivers/interface/driver-variant.ts';
import {
  abandonMigration,
  cutOffDevice,
  reconnectDevice,
  surrenderMemory,
} from '../kernel/api/device-teardown.ts';
import { forgetDevice, invalidationRefused } from '../machine/oracles/contract/watched-device.ts';
import type { FromClient, Outbound } from '../machine/remote/inbound.ts';
import { labUse } from '../machine/remote/lab-use.ts';
import { ask } from '../machine/remote/remote-actor.ts';
import { newRemoteDevice, type RemoteDevice } from '../machine/remote/remote-device.ts';
import {
  acceptForDevice,
  REFUSED,
  type RefusedParams,
} from '../machine/remote/remote-device-inbound.ts';
import { remoteDriver } from '../machine/remote/remote-driver.ts';
import type { World } from '../machine/world.ts';
import type { RequestId } from '../protocol/envelope.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { refusalText } from '../protocol/refusal.ts';
import type { Task } from '../task/task.ts';
import { OK } from '../vocabulary/errno.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { type ClientFrame, clientFrame } from './client-frame.ts';
import { askedAs, type VerbWords } from './verb-words.ts';

/** Refusals that say what a driver may not do, as against errnos that any driver gets. */
const MISUSES: ReadonlySet<string> = new Set([
  'no-such-subscription',
  'outside-subscription',
  'no-such-migration',
  'wrong-page-count',
  'lock-not-held',
  'lock-held',
  'in-use',
  'not-your-frame',
  'bad-params',
]);

export class ExternalDevice {
  readonly name: string;
  /** For the plan of the scenario. */
  readonly variant: DriverVariant;
  /** Frames that arrived, in order, granted or not. */
  readonly frames: ClientFrame[] = [];
  /** What the device has done that no driver may: in words. */
  readonly misuses: string[] = [];
  readonly #inbox: FromClient[] = [];
  readonly #outbox: Outbound[] = [];
  /** Methods of questions that were delivered, and have no answer that arrived. */
  readonly #asked = new Map<number, string>();
  /** Requests that arrived, and whose answer was not delivered. */
  readonly #inFlight = new Map<RequestId, { readonly method: string; readonly n: number }>();
  readonly #words: VerbWords;
  #remote: RemoteDevice | 'not yet' = 'not yet';
  #world: World | 'not yet' = 'not yet';
  #granted = 0;

  constructor(name: string, words: VerbWords) {
    this.name = name;
    this.#words = words;
    this.variant = {
      id: 'external',
      provenance: 'a client of its own',
      summary: 'answers from another process',
      runs: 'far',
      newDevice: (options) => this.#newDevice(options),
    };
  }

  /** The world that its scenario was opened in. */
  enter(world: World): void {
    this.#world = world;
  }

  /** A frame has come over the wire. */
  arrived(inbound: FromClient): void {
    const method = (id: number): string => this.#asked.get(id) ?? 'a question that was not asked';
    const frame = clientFrame(this.frames.length + 1, inbound, method);
    if (frame === 'none') return;
    this.frames.push(frame);
    if (inbound.kind === 'answer') this.#asked.delete(inbound.id);
    if (inbound.kind === 'request') {
      this.#inFlight.set(inbound.id, { method: inbound.method, n: frame.n });
    }
    this.#inbox.push(inbound);
  }

  get waitingIn(): number {
    return this.#inbox.length;
  }

  get waitingOut(): number {
    return this.#outbox.length;
  }

  /** The last frame that was granted, or 'none'. */
  get lastGranted(): ClientFrame | 'none' {
    return this.frames[this.#granted - 1] ?? 'none';
  }

  /** What the next frame to be granted says. */
  describeNext(way: 'in' | 'out'): string {
    if (way === 'in') return this.frames[this.#granted]?.method ?? 'nothing';
    const [next] = this.#outbox;
    if (next === undefined) return 'nothing';
    if (next.kind !== 'response') return next.method;
    return `answer to ${this.#inFlight.get(next.id)?.method ?? 'a request'}`;
  }

  /**
   * Whether the client must speak before anything else can happen to it ('must'), may be about to ('may'), or waits
   * for its turn: each question that it has is a thread of it, and a thread waits for one request at a time.
   */
  get turn(): 'must' | 'may' | 'waits' {
    if (this.#asked.size <= this.#inFlight.size) return 'waits';
    return this.#inFlight.size === 0 && this.#outbox.length === 0 ? 'must' : 'may';
  }

  /** The methods of the questions that it has not answered. */
  get unanswered(): readonly string[] {
    return [...this.#asked.values()];
  }

  /** The next frame of the client reaches the kernel. What it only notifies takes effect at once. */
  grantIn(): void {
    const inbound = this.#inbox.shift();
    invariant(inbound !== undefined, 'SC2', { device: this.name });
    this.#granted += 1;
    const { scheduler } = this.#here();
    const started = acceptForDevice(this.#device(), inbound);
    // No step was taken that would have woken the task that waits for this answer.
    scheduler.runFirstCome(0);
    if (started === 'nothing') return;
    const task = scheduler.spawn(this.name, started.name, started.task);
    if (inbound.kind === 'notify') scheduler.step(task);
  }

  /** The next frame of the kernel, to be delivered. */
  grantOut(): Outbound {
    const outbound = this.#outbox.shift();
    invariant(outbound !== undefined, 'SC2', { device: this.name });
    if (outbound.kind === 'question') this.#asked.set(outbound.id, outbound.method);
    else if (outbound.kind === 'response') this.#inFlight.delete(outbound.id);
    return outbound;
  }

  #newDevice({ api, context }: DriverOptions): LabDevice {
    const { name } = this;
    const remote = newRemoteDevice({
      lab: labUse(() => this.#here()),
      actor: name,
      context,
      api,
      send: (outbound) => this.#send(outbound),
      teardown: {
        cutOff: (why) => {
          const { kernel, emit, contract } = this.#here();
          cutOffDevice(kernel, name);
          if (contract !== 'off') forgetDevice(contract, name);
          if (why === 'fenced') emit({ kind: 'fenced', device: name });
        },
        refused: (sub) => {
          const { contract } = this.#here();
          if (contract !== 'off') invalidationRefused(contract, name, sub);
        },
        reconnect: () => reconnectDevice(this.#here().kernel, name),
        abandonMigration: (migrate) => abandonMigration(this.#here().kernel, migrate),
        surrenderMemory: () => surrenderMemory(this.#here().kernel, name),
      },
    });
    this.#remote = remote;
    return {
      callbacks: remoteDriver(() => remote),
      // It opens itself, as it likes, once it was reset.
      *open() {
        return OK;
      },
      perform: (verb) => this.#perform(remote, verb),
    };
  }

  *#perform(remote: RemoteDevice, verb: DmirrorVerb): Task<DmirrorResult> {
    for (const params of askedAs(this.#words, verb)) {
      const answer = yield* ask(remote, 'perform.answer', 'perform', params);
      if (answer === 'abandoned') return { errno: 'ENOTCONN' };
      if (answer.ok) return answer.result as DmirrorResult;
      if (answer.errno !== 'EINVAL') return { errno: answer.errno };
      this.#words.unknown.add(params.verb);
    }
    this.#words.lacking.add(verb.verb);
    return { errno: 'EINVAL' };
  }

  #send(outbound: Outbound): void {
    this.#outbox.push(outbound);
    if (outbound.kind === 'response') {
      const { outcome, id } = outbound;
      if (!outcome.ok && 'code' in outcome) this.#noteMisuse(outcome as Refusal, id);
    } else if (outbound.kind === 'tell' && outbound.method === REFUSED) {
      const { method, refusal } = outbound.params as RefusedParams;
      this.misuses.push(`${method} was refused: ${refusal.code}: ${refusalText(refusal)}`);
    }
  }

  #noteMisuse(refusal: Refusal, id: RequestId): void {
    if (!MISUSES.has(refusal.code)) return;
    const asked = this.#inFlight.get(id);
    const what = asked === undefined ? 'a request' : `frame ${asked.n} (${asked.method})`;
    this.misuses.push(`${what} was refused: ${refusal.code}: ${refusalText(refusal)}`);
  }

  #device(): RemoteDevice {
    if (this.#remote === 'not yet') throw new Error(`${this.name} is in no world yet`);
    return this.#remote;
  }

  #here(): World {
    if (this.#world === 'not yet') throw new Error(`${this.name} is in no world yet`);
    return this.#world;
  }
}
