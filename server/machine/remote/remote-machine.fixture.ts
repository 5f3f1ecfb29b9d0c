/** For tests: a live machine, and clients that say what the test tells them to. Devices carry out invalidations. */

import { MIRROR_NONE } from '../../abi/device-api.ts';
import { FIRST_KERNEL, type KernelId } from '../../abi/kernel-ids.ts';
import type { CpuResults } from '../../protocol/cpu-requests.ts';
import type { DeviceResults } from '../../protocol/device-requests.ts';
import type { RequestId } from '../../protocol/envelope.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import { leftBehind } from '../oracles/left-behind.ts';
import { pinsOf } from '../world.ts';
import type { ActorName, ActorRole, Outbound } from './inbound.ts';
import { LiveMachine } from './live-machine.ts';

type Results = DeviceResults & CpuResults;
export type FixtureResponse = Extract<Outbound, { kind: 'response' }>;
export type AskedQuestion = Extract<Outbound, { kind: 'question' }>;

export class RemoteHarness {
  readonly machine: LiveMachine;
  readonly responses: FixtureResponse[] = [];
  /** The method of each request, by id. */
  readonly methods = new Map<RequestId, string>();
  readonly told: Extract<Outbound, { kind: 'tell' }>[] = [];
  /** Questions without an answer. */
  readonly open: AskedQuestion[] = [];
  /** Devices that leave every question open. */
  readonly silent = new Set<ActorName>();
  #nextId = 1;

  constructor(patch = 'stock', kernel: KernelId = FIRST_KERNEL) {
    this.machine = new LiveMachine(
      { patch, kernel },
      { outbound: (outbound) => this.#sent(outbound), event: () => undefined },
    );
  }

  attach(actor: ActorName, role: ActorRole = 'device'): void {
    this.machine.accept({ kind: 'attach', actor, role });
  }

  detach(actor: ActorName): void {
    this.machine.accept({ kind: 'detach', actor });
    this.#obey();
  }

  fence(actor: ActorName): void {
    this.machine.accept({ kind: 'fence', actor });
    this.#obey();
  }

  /** Asks, and returns the id to find the answer by. */
  ask(
    actor: ActorName,
    method: string,
    params: object,
    contents: readonly PageContents[] = [],
  ): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.methods.set(id, method);
    this.machine.accept({ kind: 'request', actor, id, method, params, contents });
    this.#obey();
    return id;
  }

  notify(
    actor: ActorName,
    method: string,
    params: object,
    contents: readonly PageContents[] = [],
  ): void {
    this.machine.accept({ kind: 'notify', actor, method, params, contents });
    this.#obey();
  }

  /** What came of a request; 'waits' if nothing has yet. */
  outcomeOf(id: number): FixtureResponse['outcome'] | 'waits' {
    return this.responses.find((response) => response.id === id)?.outcome ?? 'waits';
  }

  /** The result of a request that succeeds at once. */
  result<Method extends keyof Results>(
    actor: ActorName,
    method: Method,
    params: object,
    contents?: readonly PageContents[],
  ): Results[Method] {
    const outcome = this.outcomeOf(this.ask(actor, method, params, contents));
    if (outcome !== 'waits' && outcome.ok) return outcome.result as Results[Method];
    throw new Error(`${method}: ${JSON.stringify(outcome)}`);
  }

  /** The word and the path of the refusal of a request. */
  refusal(
    actor: ActorName,
    method: string,
    params: object,
    contents?: readonly PageContents[],
  ): string {
    const outcome = this.outcomeOf(this.ask(actor, method, params, contents));
    if (outcome === 'waits' || outcome.ok) return JSON.stringify(outcome);
    return 'code' in outcome && 'path' in outcome
      ? `${outcome.code} ${outcome.path}`
      : outcome.errno;
  }

  answer(question: AskedQuestion, result: unknown): void {
    this.#close(question);
    const { actor, id } = question;
    this.machine.accept({ kind: 'answer', actor, id, outcome: { ok: true, result } });
    this.#obey();
  }

  answerError(question: AskedQuestion): void {
    this.#close(question);
    const { actor, id } = question;
    this.machine.accept({ kind: 'answer', actor, id, outcome: { ok: false, errno: 'EIO' } });
    this.#obey();
  }

  questionTo(actor: ActorName): AskedQuestion {
    const found = this.open.find((question) => question.actor === actor);
    if (found === undefined) throw new Error(`nobody asked ${actor} anything`);
    return found;
  }

  /** What is out of balance now: oracle 4, and locks that somebody holds. */
  leftBehind(): string[] {
    const { kernel, mm, scheduler } = this.machine.world;
    const complaints = leftBehind(kernel, pinsOf(this.machine.world));
    if (mm.mmapLock.readers.length > 0) complaints.push('mmap_lock has readers');
    if (mm.mmapLock.writer !== 'none') complaints.push('mmap_lock has a writer');
    for (const task of scheduler.blockedTasks()) complaints.push(`${task.identity.name} waits`);
    return complaints;
  }

  #sent(outbound: Outbound): void {
    if (outbound.kind === 'response') this.responses.push(outbound);
    else if (outbound.kind === 'tell') this.told.push(outbound);
    else this.open.push(outbound);
  }

  /** What a driver does under its lock before it answers. */
  #dropEntries({ actor, params }: AskedQuestion): void {
    const { range } = params as QuestionParams['invalidate'];
    const table = this.machine.world.oracles.mirrors.byDevice.get(actor) ?? new Map();
    const pages = [...table.keys()].filter((page) => range.first <= page && page < range.end);
    const changes = pages.map((page) => ({ page, entry: MIRROR_NONE }));
    if (changes.length === 0) return;
    this.machine.accept({
      kind: 'notify',
      actor,
      method: 'mirror_changed',
      params: { changes },
      contents: [],
    });
  }

  #close(question: AskedQuestion): void {
    this.open.splice(this.open.indexOf(question), 1);
  }

  #obey(): void {
    for (;;) {
      const question = this.open.find(
        ({ actor, method }) => !this.silent.has(actor) && method !== 'migrate_to_ram',
      );
      if (question === undefined) return;
      const { seq } = question.params as QuestionParams['invalidate'];
      const done = { result: 'done', invalidate_seq: seq };
      const invalidates = question.method.startsWith('invalidate');
      if (invalidates) this.#dropEntries(question);
      this.answer(question, invalidates ? done : {});
    }
  }
}
