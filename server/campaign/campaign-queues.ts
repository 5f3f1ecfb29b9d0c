/**
 * The queues of units: BullMQ's, one for each model, and one beside it for units that bring code of users along, which
 * not every worker takes. The client is loaded where a campaign is begun or worked on, and nowhere else.
 */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Batch } from './batch.ts';

const BACKOFF_MS = 200;
/** Milliseconds between two attempts to connect, at most. */
const RETRY_LAST_MS = 500;

export function queueName(model: string, code: 'own' | 'none'): string {
  return `${code === 'own' ? 'own-' : ''}${model.slice(0, 16)}`;
}

export function queuePrefix(prefix: string): string {
  return `${prefix}:units`;
}

/** A connection as BullMQ wants it. */
export async function openQueueRedis(url: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(RETRY_LAST_MS, 50 * 2 ** times),
  });
  // What it says is said by the commands that fail; without a listener it would end the process.
  redis.on('error', () => undefined);
  return redis;
}

/** Where batches are put. */
export class CampaignQueues {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Promise<Queue<Batch>>>();

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Each under an id: what is there already stays as it is. Rejects with what Redis says. */
  async add(
    model: string,
    code: 'own' | 'none',
    batches: readonly (readonly [id: string, batch: Batch])[],
  ): Promise<void> {
    const queue = await this.#queue(model, code);
    await queue.addBulk(
      batches.map(([jobId, data]) => ({
        name: 'batch',
        data,
        opts: {
          jobId,
          // The worker counts itself, and sets a unit aside before its batch could fail.
          attempts: 1_000,
          backoff: { type: 'fixed', delay: BACKOFF_MS },
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    );
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await (await queue).close();
    this.#redis.disconnect();
  }

  #queue(model: string, code: 'own' | 'none'): Promise<Queue<Batch>> {
    const name = queueName(model, code);
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const made = this.#open(name);
    this.#queues.set(name, made);
    return made;
  }

  async #open(name: string): Promise<Queue<Batch>> {
    const { Queue } = await import('bullmq');
    const queue = new Queue<Batch>(name, {
      connection: this.#redis,
      prefix: queuePrefix(this.#prefix),
    });
    queue.on('error', () => undefined);
    return queue;
  }
}
