/** Clients that store and load without end, and know what they were told: what was acknowledged must be there. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDevice } from '../../clients/agents/device-agent.ts';
import type { PlayedAgent } from '../../clients/agents/played-agent.ts';
import { Connection } from '../../clients/sdk/connection.ts';
import { closedSentence } from '../../clients/sdk/connection-state.ts';

/** Milliseconds between two looks at how far all are. */
const LOOK_MS = 10;
const PAGE = 4_096;
const BASE = 0x100200000;

/** Two CPUs with a page each, and a device that moves both pages about. */
export class Acknowledged {
  readonly #cpus: Cpu[];
  readonly #gpu: PlayedAgent;
  #state: 'on' | 'over' = 'on';
  readonly #work: Promise<void>[] = [];
  moves = 0;

  constructor(url: string, lab: string, cpus = 2) {
    this.#cpus = Array.from({ length: cpus }, (_, at) => new Cpu(url, lab, at));
    this.#gpu = startDevice({
      url,
      lab,
      name: 'gpu0',
      connectMs: 10_000,
      onLoss: 'resume',
      say: () => undefined,
    });
  }

  /** Resolves when all have a session and their memory. */
  async begin(): Promise<void> {
    await Promise.all([this.#gpu.greeted, ...this.#cpus.map((cpu) => cpu.begin())]);
    const on = () => this.#state === 'on';
    this.#work.push(...this.#cpus.map((cpu) => cpu.work(on)), this.#move(on));
  }

  /** Stores that were answered. */
  get stores(): number {
    return this.#cpus.reduce((sum, cpu) => sum + cpu.stored, 0);
  }

  /** Milliseconds that a CPU has waited for an answer, at most. */
  get longestWaitMs(): number {
    return Math.max(...this.#cpus.map((cpu) => cpu.longestWaitMs));
  }

  /** The names of those that take part. */
  get actors(): readonly string[] {
    return [...this.#cpus.map((_, at) => `cpu${at}`), 'gpu0'];
  }

  /** Resolves when each CPU was answered once more, and the device. Rejects with what ends the work of one. */
  async allAnswered(): Promise<void> {
    const before = this.#cpus.map((cpu) => cpu.stored);
    const moves = this.moves;
    const behind = () =>
      this.moves === moves || this.#cpus.some((cpu, at) => cpu.stored === before[at]);
    while (behind() && this.#state === 'on') await Promise.race([sleep(LOOK_MS), ...this.#work]);
  }

  /** Rejects if anything of what was acknowledged was lost, or a session was not resumed. */
  async end(): Promise<void> {
    this.#state = 'over';
    await Promise.all(this.#work);
    for (const cpu of this.#cpus) cpu.end();
    this.#gpu.close();
    assert.equal((await this.#gpu.closed).why, 'ended');
  }

  /** None comes back. */
  giveUp(): void {
    this.#state = 'over';
    for (const work of this.#work) work.catch(() => undefined);
    for (const cpu of this.#cpus) cpu.giveUp();
    this.#gpu.close();
  }

  async #move(on: () => boolean): Promise<void> {
    const first = BASE / PAGE;
    const range = { first, end: first + this.#cpus.length };
    while (on()) {
      for (const verb of ['migrate-to-dev', 'read', 'migrate-to-sys']) {
        const { errno } = await this.#gpu
          .perform('gpu0', { verb, range })
          .catch(async (error: Error) => {
            const why = closedSentence(await this.#gpu.closed);
            throw new Error(`${error.message}: ${why}`, { cause: error });
          });
        assert.ok(errno === 'OK' || errno === 'EBUSY', `${verb}: ${errno}`);
      }
      this.moves += 1;
    }
  }
}

class Cpu {
  stored = 0;
  longestWaitMs = 0;
  readonly #address: string;
  readonly #connection: Connection;
  #sessions = 0;

  constructor(url: string, lab: string, at: number) {
    this.#address = `0x${(BASE + at * PAGE).toString(16)}`;
    const nothing = () => undefined;
    this.#connection = new Connection(
      { url, lab, role: 'cpu', name: `cpu${at}`, connectMs: 10_000 },
      {
        asked: nothing,
        notified: nothing,
        settled: nothing,
        complained: ({ message }) => assert.fail(message),
        greeted: ({ session }) => {
          if (session === 'fresh') this.#sessions += 1;
        },
      },
    );
  }

  async begin(): Promise<void> {
    await this.#connection.greeted;
    const area = { address: this.#address, pages: 1, prot: 'rw', kind: 'anon-private' };
    await this.#call('mmap', area);
    await this.#call('store', { address: this.#address, value: '0x0' });
  }

  async work(on: () => boolean): Promise<void> {
    while (on()) {
      const next = this.stored + 1;
      await this.#call('store', { address: this.#address, value: `0x${next.toString(16)}` });
      this.stored = next;
      const loaded = await this.#call('load', { address: this.#address });
      assert.deepEqual(loaded, { value: `0x${next.toString(16)}` });
    }
  }

  end(): void {
    assert.equal(this.#sessions, 1);
    this.#connection.close();
  }

  giveUp(): void {
    this.#connection.close();
  }

  async #call(method: string, params: object): Promise<unknown> {
    const asked = performance.now();
    const answer = await this.#connection.call(method, params);
    this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - asked);
    if (answer.ok) return answer.result;
    if (answer.refusal.code !== 'session-lost') return assert.fail(answer.refusal.message);
    return assert.fail(closedSentence(await this.#connection.closed));
  }
}
