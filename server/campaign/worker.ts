/**
 * Takes units from the queues and answers them, in threads. This thread only talks to Redis, so that a lease is renewed
 * however busy the others are. What it has taken when it dies others take when the lease is over; an answer that comes
 * twice is the same answer.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { openRedis, type RedisLink } from '../cluster/redis-link.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import type { Batch } from './batch.ts';
import { CampaignQueues, openQueueRedis, queueName, queuePrefix } from './campaign-queues.ts';
import { BEAT_WORKER, LEAVE_WORKER } from './campaign-scripts.ts';
import { Campaigns, fullText, isFull, storedText, type WorkerFacts } from './campaigns.ts';
import type { Core } from './core.ts';
import type { Unit } from './unit.ts';
import { WorkerSlot } from './worker-slot.ts';

/**
 * Milliseconds after its last sign of life that a batch is taken from a worker. The sign comes from a thread that does
 * nothing else, twice in that time: longer pauses than half of it are those of a machine, not of a search.
 */
export const LEASE_MS = 10_000;
/** Looks for leases that are over, in a lease. */
const LOOKS_PER_LEASE = 2;
/** Workers that die of a unit, or threads, after which it is set aside: once may be chance, and twice a bad machine. */
const DEATHS_MAX = 3;
/** BullMQ would fail the batch; it is this worker that sets a unit of it aside and goes on with the others. */
const STALLS_UNCOUNTED = 1_000_000;
const BEAT_MS = 500;
const BEATS_PER_LIFE = 6;
/** Before what is asked of a Redis that is away or full is asked again. */
const AGAIN_MS = 500;
/** How long units may take to their end when the worker is told to end. */
const LAST_UNITS_MS = 2_000;
/** Seconds to wait for a batch at once. */
const WAIT_SECONDS = 1;
const CORES_MAX = 64;

export interface WorkerOptions {
  readonly url: string;
  readonly prefix: string;
  readonly model: string;
  readonly threads: number;
  readonly code: 'allowed' | 'not allowed';
  readonly leaseMs: number;
  /** Tells a person, a sentence at a time. */
  readonly say: (text: string) => void;
}

/** Rejects with what keeps it from Redis. */
export async function startWorker(options: WorkerOptions): Promise<StartedWorker> {
  const link = await openRedis(options.url, options.prefix);
  const worker = new StartedWorker(options, link);
  await worker.begin();
  return worker;
}

export class StartedWorker {
  readonly #options: WorkerOptions;
  readonly #link: RedisLink;
  readonly #campaigns: Campaigns;
  readonly #id = randomBytes(6).toString('hex');
  readonly #folder = mkdtempSync(join(tmpdir(), 'mmrace-work-'));
  readonly #slots: readonly WorkerSlot[];
  readonly #free: WorkerSlot[];
  readonly #waiting: ((slot: WorkerSlot) => void)[] = [];
  readonly #cores = new Map<string, Core>();
  readonly #said = new Set<string>();
  readonly #workers: Worker<Batch>[] = [];
  /** BullMQ closes those alone that it opens. */
  readonly #connections: Redis[] = [];
  #queues: CampaignQueues | 'none' = 'none';
  #units = 0;
  #state: 'on' | 'ending' = 'on';
  #trouble = '';
  #beats: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions, link: RedisLink) {
    this.#options = options;
    this.#link = link;
    this.#campaigns = new Campaigns(link, options.model);
    this.#slots = Array.from({ length: options.threads }, () => new WorkerSlot(this.#folder));
    this.#free = [...this.#slots];
  }

  async begin(): Promise<void> {
    const { url, prefix, model, code } = this.#options;
    await this.#beat();
    this.#queues = new CampaignQueues(await openQueueRedis(url), prefix);
    const names = [queueName(model, 'none')];
    if (code === 'allowed') names.unshift(queueName(model, 'own'));
    for (const name of names) this.#workers.push(await this.#open(name));
    this.#beatAgain();
  }

  /** Waits a little for what it has taken, and leaves the rest to others. */
  async close(): Promise<void> {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    clearTimeout(this.#beats);
    const closed = Promise.all(this.#workers.map((worker) => worker.close()));
    const late = after(LAST_UNITS_MS, 'late' as const, { ref: false });
    if ((await Promise.race([closed, late])) === 'late') {
      await Promise.all(this.#slots.map((slot) => slot.stop()));
      await Promise.race([closed, after(LAST_UNITS_MS, 'late', { ref: false })]);
    }
    await Promise.all(this.#slots.map((slot) => slot.close()));
    await this.#link.run(LEAVE_WORKER, [this.#id]).catch(() => undefined);
    if (this.#queues !== 'none') await this.#queues.close();
    for (const redis of this.#connections) redis.disconnect();
    this.#link.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #open(name: string): Promise<Worker<Batch>> {
    const { Worker } = await import('bullmq');
    const { url, prefix, threads, leaseMs } = this.#options;
    const redis = await openQueueRedis(url);
    this.#connections.push(redis);
    const worker = new Worker<Batch>(name, (job, token) => this.#batch(job, token), {
      connection: redis,
      prefix: queuePrefix(prefix),
      concurrency: threads,
      lockDuration: leaseMs,
      stalledInterval: leaseMs / LOOKS_PER_LEASE,
      maxStalledCount: STALLS_UNCOUNTED,
      drainDelay: WAIT_SECONDS,
      runRetryDelay: AGAIN_MS,
    });
    worker.on('error', (error) => this.#complain(error));
    return worker;
  }

  async #batch(job: Job<Batch>, token: string | undefined): Promise<void> {
    const { campaign } = job.data;
    const units = await this.#asLong(job);
    for (const unit of units) {
      if ((await this.#unit(campaign, unit, job)) !== 'given back') continue;
      const { WaitingError } = await import('bullmq');
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  /** A batch of which a worker died is taken apart: the unit that was under way is alone then, with its deaths. */
  async #asLong({ data, stalledCounter, attemptsMade }: Job<Batch>): Promise<readonly Unit[]> {
    const { campaign, units } = data;
    if (units.length === 1 || stalledCounter + attemptsMade === 0) return units;
    const left: Unit[] = [];
    for (const unit of units) {
      const taken = await this.#persistently(() => this.#campaigns.take(campaign, unit));
      if (taken === 'run') left.push(unit);
    }
    const [first, ...others] = left;
    if (first === undefined) return [];
    const { model, code } = await this.#persistently(() => this.#campaigns.look(campaign));
    await this.#persistently(async () => {
      if (this.#queues === 'none') return;
      await this.#queues.add(
        model,
        code,
        others.map((unit) => [
          `${campaign}-${this.#campaigns.idOf(unit)}`,
          { campaign, units: [unit] },
        ]),
      );
    });
    return [first];
  }

  async #unit(campaign: string, unit: Unit, job: Job<Batch>): Promise<'over' | 'given back'> {
    const taken = await this.#persistently(() => this.#campaigns.take(campaign, unit));
    if (taken !== 'run') return 'over';
    if (job.stalledCounter >= DEATHS_MAX) {
      return await this.#aside(campaign, unit, `${DEATHS_MAX} workers died of it, or stood still`);
    }
    const core = await this.#coreOf(unit);
    const slot = await this.#slot(campaign);
    try {
      const ran = await slot.run(unit, core);
      if (ran === 'stopped') return this.#state === 'ending' ? 'given back' : 'over';
      const text = storedText(ran.value, ran.folder);
      const said = await this.#persistently(() =>
        this.#campaigns.done(campaign, unit, text, ran.ms),
      );
      if (said === 'differs') {
        const name = this.#campaigns.idOf(unit);
        this.#options.say(`unit ${name} came out otherwise before: it is not deterministic`);
      }
      this.#units += 1;
      return 'over';
    } catch (error) {
      // What the user gave fails everywhere.
      if (error instanceof BadInput) return await this.#aside(campaign, unit, error.message);
      if (job.attemptsMade + 1 < DEATHS_MAX) throw error;
      return await this.#aside(campaign, unit, `${DEATHS_MAX} times: ${String(error)}`);
    } finally {
      this.#giveBack(slot);
    }
  }

  async #aside(campaign: string, unit: Unit, why: string): Promise<'over'> {
    const clean = why.replaceAll(/\S*mmrace-work-\w+\/\w+\//g, '');
    await this.#persistently(() => this.#campaigns.aside(campaign, unit, clean));
    this.#options.say(`set aside: unit ${this.#campaigns.idOf(unit)} of ${campaign}: ${clean}`);
    return 'over';
  }

  async #coreOf({ core: id }: Unit): Promise<Core> {
    const known = this.#cores.get(id);
    if (known !== undefined) return known;
    const core = await this.#persistently(() => this.#campaigns.core(id));
    const [oldest] = this.#cores.keys();
    if (this.#cores.size >= CORES_MAX && oldest !== undefined) this.#cores.delete(oldest);
    this.#cores.set(id, core);
    return core;
  }

  /** The two queues together may have more batches under way than there are threads. */
  async #slot(campaign: string): Promise<WorkerSlot> {
    const slot =
      this.#free.pop() ?? (await new Promise<WorkerSlot>((resolve) => this.#waiting.push(resolve)));
    slot.campaign = campaign;
    return slot;
  }

  #giveBack(slot: WorkerSlot): void {
    slot.campaign = 'none';
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }

  #beatAgain(): void {
    if (this.#state === 'ending') return;
    this.#beats = setTimeout(() => {
      this.#beat()
        .catch((error: unknown) => this.#complain(error))
        .finally(() => this.#beatAgain());
    }, BEAT_MS);
    this.#beats.unref();
  }

  async #beat(): Promise<void> {
    const { threads, model, code } = this.#options;
    const facts: WorkerFacts = {
      id: this.#id,
      host: hostname(),
      pid: process.pid,
      threads,
      busy: threads - this.#free.length,
      units: this.#units,
      model,
      code,
    };
    const args = [this.#id, JSON.stringify(facts), BEAT_MS * BEATS_PER_LIFE];
    const open = JSON.parse(String(await this.#link.run(BEAT_WORKER, args)));
    for (const [id, state, of, own] of Array.from(open as Iterable<string[]>)) {
      if (state === 'cancelled') {
        for (const slot of this.#slots) if (slot.campaign === id) await slot.stop();
      }
      if (state !== 'running' && state !== 'begun') continue;
      if (of !== model)
        this.#refuse(
          `${id} is of another model (${of?.slice(0, 8)}; this worker has ${model.slice(0, 8)})`,
        );
      else if (own === 'own' && code !== 'allowed')
        this.#refuse(`${id} brings code of its own, which runs only with --allow-code`);
    }
  }

  #refuse(why: string): void {
    if (this.#said.has(why)) return;
    this.#said.add(why);
    this.#options.say(`refused: ${why}`);
  }

  /** Asks until it is answered: Redis may be away or full for a while. */
  async #persistently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        if (this.#trouble !== '') this.#options.say('Redis is there again');
        this.#trouble = '';
        return answer;
      } catch (error) {
        if (!mayPass(error) || this.#state === 'ending') throw error;
        this.#complain(error);
        await after(AGAIN_MS);
      }
    }
  }

  /** Each trouble once. */
  #complain(error: unknown): void {
    const text = isFull(error)
      ? fullText('it takes no more')
      : `Redis: ${error instanceof Error ? error.message : String(error)}`;
    if (!mayPass(error) || text === this.#trouble || this.#state === 'ending') return;
    this.#trouble = text;
    this.#options.say(text);
  }
}

/** Whether it is Redis that is not well, and not the question. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BadInput) return false;
  if (error.name !== 'ReplyError')
    return /connect|closed|socket|stream|retries|timeout|ECONN/i.test(String(error));
  return /OOM|LOADING|READONLY|MASTERDOWN|BUSY/.test(error.message);
}
