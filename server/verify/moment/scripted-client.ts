/**
 * One client of a recording, playing its part again in another order. It is taken to keep the driver contract: it drops
 * what is invalidated before it answers, and looks at its sequence before it maps what a range fault has found. As soon
 * as it is answered something else than then, the recording does not say what it would do next: it departs, which
 * means that it gives back what it holds and does no more.
 */

import type { LiveMachine } from '../../machine/remote/live-machine.ts';
import { NO_CONTENTS } from '../../machine/remote/remote-actor.ts';
import type { DeviceNotificationParams } from '../../protocol/client-notifications.ts';
import type { DeviceParams } from '../../protocol/device-requests.ts';
import type { RequestId } from '../../protocol/envelope.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import { touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { HOLD_OWNERS } from '../../task/object-owners.ts';
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import {
  type ClientMessage,
  type ClientScript,
  isReadBegin,
  type ScriptFrame,
  type ServiceScript,
} from './client-script.ts';
import type { OutboundQuestion, RecordedRequest, Response } from './recorded-run.ts';
import { translatedParams } from './translated-params.ts';
import { sameAnswerContents, Translation } from './translation.ts';

/** Collisions of one range fault, after which a client departs. */
const COLLISIONS_MAX = 3;
/** Requests of a client that winds down have numbers from here on. */
const WIND_DOWN_IDS = 1_000_000;

/** What a client knows and holds at the moment. */
export interface ClientAtMoment {
  /** Of its subscription. */
  readonly sequence: number;
  /** What the last mmu_interval_read_begin answered. */
  readonly begun: number;
  readonly mmapLocks: number;
  /** As they were called then; they still are. */
  readonly migrations: readonly number[];
  /** What it has been answered. */
  readonly answers: readonly Response[];
  /** Requests under way. */
  readonly open: readonly RecordedRequest[];
}

type Departed = { readonly at: string } | 'no';

export class ScriptedClient {
  readonly actor: string;
  readonly #machine: LiveMachine;
  readonly #script: ClientScript;
  /** Answers that have arrived, and what it makes of them. */
  readonly #mail: ObjectId;
  /** What its callback and its threads share under its own lock: sequence and page table. */
  readonly #table: ObjectId;
  readonly #translation = new Translation();
  /** Answers by request id, the last one of each. */
  readonly #answers = new Map<RequestId, Response>();
  readonly #migrations: Set<number>;
  readonly #services: ServiceScript[];
  /** Requests under way, or answered since it looked last. */
  readonly #unlearnt: RecordedRequest[];
  /** The request by which it reaches memory through its page table, under the lock that its callback takes. */
  #reaching: RequestId | 'nothing' = 'nothing';
  #sequence: number;
  #begun: number;
  #locks: number;
  #collisions = 0;
  #windDownId = WIND_DOWN_IDS;
  /** Whether page contents that it was given are others than then. */
  #contents: 'as recorded' | 'others' = 'as recorded';
  #departed: Departed = 'no';
  #cut = false;

  /** `number` distinguishes the clients of one world. */
  constructor(machine: LiveMachine, script: ClientScript, number: number, moment: ClientAtMoment) {
    this.actor = script.actor;
    this.#machine = machine;
    this.#script = script;
    this.#services = [...script.services];
    this.#mail = objectId('hold', HOLD_OWNERS.mail, number);
    this.#table = objectId('hold', HOLD_OWNERS.clientTables, number);
    this.#sequence = moment.sequence;
    this.#begun = moment.begun;
    this.#locks = moment.mmapLocks;
    this.#migrations = new Set(moment.migrations);
    this.#unlearnt = [...moment.open];
    for (const answer of moment.answers) this.#answers.set(answer.id, answer);
  }

  /** Where it departed from the recording, or 'no'. */
  get departed(): Departed {
    return this.#departed;
  }

  /** Whether it owes an answer that is not within what is played. */
  get cut(): boolean {
    return this.#cut;
  }

  /** The whole part as a task. */
  *play(): Task<void> {
    yield* this.#playFrames(this.#script.frames, this.#script.begin);
    if (this.#departed !== 'no') yield* this.#windDown();
  }

  /** An answer of the kernel's. Not a yield point. */
  answered(response: Response): void {
    this.#answers.set(response.id, response);
    const { context } = this.#machine.world;
    if (this.#reaching === response.id) {
      this.#reaching = 'nothing';
      wake(context, this.#table);
    }
    wake(context, this.#mail);
  }

  /** The kernel notifies that it is fenced, or that it sent nonsense. Not a yield point. */
  heard(method: string): void {
    if (method === 'page_free') return;
    this.#depart(method);
  }

  /** A question of the kernel's, as a task. */
  *answer({ id, method, params }: OutboundQuestion): Task<void> {
    if (method === 'migrate_to_ram') {
      yield* this.#serve(id, params as QuestionParams['migrate_to_ram']);
      return;
    }
    yield waitUntil('client.answer', this.#table, () => this.#reaching === 'nothing');
    this.#touch(this.#table, 'write');
    if (method === 'release') this.#send({ kind: 'answer', actor: this.actor, id, outcome: DONE });
    else if (method === 'invalidate_start') {
      this.#begin(id, params as QuestionParams['invalidate_start']);
    } else this.#invalidate(id, params as QuestionParams['invalidate'], 'all');
  }

  /** Own migrations and what must not wait are done in one pass. */
  #begin(id: number, params: QuestionParams['invalidate_start']): void {
    const whole = params.owner === this.actor || params.blocking === 'non-blockable';
    this.#invalidate(id, params, whole ? 'all' : this.#script.firstPass);
  }

  /** `part` of what it does to carry out an invalidation. */
  #invalidate(
    id: number,
    params: QuestionParams['invalidate'],
    part: 'all' | ClientScript['firstPass'],
  ): void {
    const { range, owner, event, seq } = params;
    const own = owner === this.actor && (event === 'migrate' || event === 'exclusive');
    const moves = !own || this.#script.ownSequence === 'moves';
    if (moves && part !== 'drops entries') this.#sequence = seq;
    const table = this.#machine.world.oracles.mirrors.byDevice.get(this.actor);
    const drops = !own && part !== 'moves sequence';
    const changes = [...(drops ? (table?.keys() ?? []) : [])]
      .filter((page) => range.first <= page && page < range.end)
      .map((page: PageIndex) => ({ page, entry: { state: 'none' } as const }));
    if (changes.length > 0) this.#notify('mirror_changed', { changes });
    const result = { result: part === 'all' ? 'done' : 'begun', invalidate_seq: this.#sequence };
    this.#send({ kind: 'answer', actor: this.actor, id, outcome: { ok: true, result } });
  }

  *#serve(id: number, { page }: QuestionParams['migrate_to_ram']): Task<void> {
    yield willWrite('client.serve', this.#mail);
    const at = this.#services.findIndex((one) => one.page === page);
    const [script] = at < 0 ? [] : this.#services.splice(at, 1);
    if (script === undefined) {
      this.#depart('migrate_to_ram');
      return;
    }
    yield* this.#playFrames(script.frames, 0);
    if (this.#departed !== 'no') return;
    if (script.outcome === 'not recorded') {
      this.#cut = true;
      return;
    }
    this.#send({ kind: 'answer', actor: this.actor, id, outcome: script.outcome });
  }

  *#playFrames(frames: readonly ScriptFrame[], begin: number): Task<void> {
    let at = begin;
    while (at < frames.length && this.#departed === 'no') {
      const { frame, recorded, after } = frames[at] as ScriptFrame;
      yield waitUntil(
        'client.frame',
        this.#mail,
        () => this.#has(after) || this.#departed !== 'no',
      );
      const next = this.#next(frames, at);
      if (next !== at) {
        at = next;
        continue;
      }
      if (this.#departed !== 'no') return;
      this.#sendFrame(frame);
      if (recorded !== 'none') this.#unlearnt.push(recorded);
      at += 1;
    }
    // What it was answered last may still be something else.
    const sent = frames.flatMap(({ recorded }) => (recorded === 'none' ? [] : [recorded]));
    const awaited = sent.filter(({ response }) => response !== 'none');
    if (this.#departed !== 'no') return;
    yield waitUntil('client.last', this.#mail, () => this.#has(awaited) || this.#departed !== 'no');
    this.#next(frames, frames.length);
  }

  #has(requests: readonly RecordedRequest[]): boolean {
    return requests.every(({ request }) => this.#answers.has(request.id));
  }

  /** Looks at the answers that came since: which frame is next? The same, one before it, or none. */
  #next(frames: readonly ScriptFrame[], at: number): number {
    for (const recorded of [...this.#unlearnt]) {
      const now = this.#answers.get(recorded.request.id);
      if (now === undefined) continue;
      this.#unlearnt.splice(this.#unlearnt.indexOf(recorded), 1);
      this.#touch(this.#mail, 'write');
      const again = this.#learn(frames, at, recorded, now);
      if (again !== 'go on') return again;
    }
    this.#touchTable(frames[at]?.frame);
    const moved = this.#mapsWhatWasFound(frames, at) && this.#sequence !== this.#begun;
    return moved || this.#reachesWhatIsGone(frames[at]?.frame) ? this.#collided(frames, at) : at;
  }

  #learn(
    frames: readonly ScriptFrame[],
    at: number,
    { request, response }: RecordedRequest,
    now: Response,
  ): number | 'go on' {
    if (response === 'none' || this.#script.role === 'cpu') return 'go on';
    this.#keepBooks(request.method, now);
    if (this.#translation.learn(request.method, response, now) === 'same') {
      if (!sameAnswerContents(response, now)) this.#contents = 'others';
      return 'go on';
    }
    if (isRangeFault(request.method) && !now.outcome.ok && now.outcome.errno === 'EBUSY') {
      return this.#collided(frames, at);
    }
    this.#depart(request.method);
    return at;
  }

  /** Back to where the range was begun to be read, without the lock. */
  #collided(frames: readonly ScriptFrame[], at: number): number {
    this.#collisions += 1;
    const begin = frames.slice(0, at).findLastIndex(({ frame }) => isReadBegin(frame));
    if (begin < 0 || this.#collisions > COLLISIONS_MAX) {
      this.#depart('mmu_interval_read_retry');
      return at;
    }
    for (; this.#locks > 0; this.#locks -= 1) this.#request('mmap_read_unlock', {});
    // The answers of the first time must not count for the second.
    for (const { recorded } of frames.slice(begin, at)) {
      if (recorded !== 'none') this.#answers.delete(recorded.request.id);
    }
    return begin;
  }

  #keepBooks(method: string, { outcome }: Response): void {
    if (!outcome.ok) return;
    const result = outcome.result as {
      readonly seq?: number;
      readonly migrate?: number;
      readonly invalidate_seq?: number;
    };
    if (method === 'mmu_interval_read_begin' || method === 'hmm_range_fault_unlocked') {
      this.#begun = result.seq ?? this.#begun;
    } else if (method === 'mmu_interval_notifier_insert') {
      this.#sequence = Math.max(this.#sequence, result.invalidate_seq ?? 0);
    } else if (method === 'mmap_read_lock') this.#locks += 1;
    else if (method === 'migrate_vma_setup') this.#migrations.add(Number(result.migrate));
  }

  /** A mapping that follows a range fault, and no migration. */
  #mapsWhatWasFound(frames: readonly ScriptFrame[], at: number): boolean {
    const frame = frames[at]?.frame;
    if (frame?.kind !== 'notify' || frame.method !== 'mirror_changed') return false;
    const { changes } = frame.params as DeviceNotificationParams['mirror_changed'];
    if (!changes.some(({ entry }) => entry.state === 'mapped')) return false;
    const last = frames
      .slice(0, at)
      .findLast(
        ({ frame: one }) => one.kind === 'request' && one.method !== 'mmap_read_unlock',
      )?.frame;
    return last?.kind === 'request' && isRangeFault(last.method);
  }

  /** Frames that say or use what the callback changes. */
  #touchTable(frame: ClientMessage | undefined): void {
    if (frame?.kind !== 'request' && frame?.kind !== 'notify') return;
    if (isReadBegin(frame)) this.#touch(this.#table, 'read');
    else if (OF_THE_TABLE.includes(frame.method)) this.#touch(this.#table, 'write');
  }

  #touch(object: ObjectId, mode: 'read' | 'write'): void {
    touch(this.#machine.world.context, object, mode);
  }

  /** Through an entry that has been invalidated since: a driver finds that out under its lock, and faults again. */
  #reachesWhatIsGone(frame: ClientMessage | undefined): boolean {
    const table = this.#machine.world.oracles.mirrors.byDevice.get(this.actor);
    return this.#reached(frame).some(({ page, pfn }) => {
      const entry = table?.get(page as PageIndex);
      return entry?.state !== 'mapped' || entry.pfn !== this.#translation.frame(pfn);
    });
  }

  /** What a frame reaches through the page table; a migration reaches what it holds locked. */
  #reached(
    frame: ClientMessage | undefined,
  ): readonly { readonly page: number; readonly pfn: number }[] {
    if (this.#migrations.size > 0 || frame === undefined) return [];
    if (frame.kind === 'request' && (frame.method === 'dma_read' || frame.method === 'dma_write')) {
      return (frame.params as DeviceParams['dma_read']).targets;
    }
    if (frame.kind === 'notify' && frame.method === 'private_memory_accessed') {
      return (frame.params as DeviceNotificationParams['private_memory_accessed']).accesses;
    }
    return [];
  }

  #sendFrame(frame: ClientMessage): void {
    if (frame.kind !== 'request' && frame.kind !== 'notify') {
      if ('actor' in frame) this.#machine.begin(frame);
      return;
    }
    if (this.#contents === 'others' && frame.contents.length > 0) {
      this.#depart(frame.method);
      return;
    }
    if (frame.kind === 'request') {
      this.#answers.delete(frame.id);
      if (this.#reached(frame).length > 0) this.#reaching = frame.id;
      if (frame.method === 'mmap_read_unlock') this.#locks -= 1;
    }
    const known = { translation: this.#translation, sequence: this.#sequence, begun: this.#begun };
    const params = translatedParams(frame.method, frame.params, known);
    if (frame.method === 'migrate_vma_finalize') {
      this.#migrations.delete((params as { readonly migrate: number }).migrate);
    }
    this.#send({ ...frame, params });
  }

  #depart(at: string): void {
    if (this.#departed !== 'no') return;
    this.#departed = { at };
    wake(this.#machine.world.context, this.#mail);
  }

  /** Gives back what it holds, as a driver does that goes on without what it wanted. */
  *#windDown(): Task<void> {
    for (const migrate of this.#migrations) {
      yield* this.#asked('migrate_vma_finalize', { migrate });
    }
    this.#migrations.clear();
    for (; this.#locks > 0; this.#locks -= 1) yield* this.#asked('mmap_read_unlock', {});
  }

  *#asked(method: string, params: unknown): Task<void> {
    const id = this.#request(method, params);
    yield waitUntil('client.wind_down', this.#mail, () => this.#answers.has(id));
  }

  #request(method: string, params: unknown): number {
    const id = this.#windDownId;
    this.#windDownId += 1;
    this.#send({ kind: 'request', actor: this.actor, id, method, params, contents: NO_CONTENTS });
    return id;
  }

  #notify(method: string, params: unknown): void {
    this.#send({ kind: 'notify', actor: this.actor, method, params, contents: NO_CONTENTS });
  }

  #send(frame: Parameters<LiveMachine['begin']>[0]): void {
    this.#machine.begin(frame);
  }
}

const OF_THE_TABLE = ['mirror_changed', 'private_memory_accessed', 'dma_read', 'dma_write'];
const DONE = { ok: true, result: {} } as const;

function isRangeFault(method: string): boolean {
  return method === 'hmm_range_fault' || method === 'hmm_range_fault_unlocked';
}
