/** The connection to Redis. The client is loaded where a server is told to use it, and nowhere else. */
import type { Redis } from 'ioredis';
import type { Script } from './scripts.ts';

/** Milliseconds between two attempts to connect, at first and at most. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 500;
/** Milliseconds without a byte, while one is owed, after which a connection counts as dead. */
const SILENT_MS = 5_000;

export type Argument = string | number;

export interface RedisLink {
  /** Without what is secret in it. */
  readonly address: string;
  /** Rejects with what Redis says, or if there is no answer: then it may have happened. */
  run(script: Script, args: readonly Argument[]): Promise<unknown>;
  /** Lines of a stream from the entry behind `after` on, at most `count` entries: each with the place of its end. */
  range(log: string, after: number, count: number): Promise<readonly (readonly [number, string])[]>;
  /** What is set, `unknown` where it may not be asked. */
  setting(name: string): Promise<string>;
  close(): void;
}

/** Rejects with what keeps it from Redis. */
export async function openRedis(url: string, prefix: string): Promise<RedisLink> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Whoever has no answer asks again: all scripts may run twice.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENT_MS,
    retryStrategy: (times) => Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** times),
  });
  let last: unknown = new Error('it does not answer');
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    throw new Error(last instanceof Error ? last.message : String(last), { cause });
  }
  return new Link(redis, url, prefix);
}

class Link implements RedisLink {
  readonly address: string;
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, url: string, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.address = withoutSecrets(url);
  }

  async run({ sha, text }: Script, args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(sha, 1, this.#prefix, ...args);
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      return await this.#redis.eval(text, 1, this.#prefix, ...args);
    }
  }

  async range(
    log: string,
    after: number,
    count: number,
  ): Promise<readonly (readonly [number, string])[]> {
    const key = `${this.#prefix}:log:${log}`;
    const entries = await this.#redis.xrange(key, `(${after}-0`, '+', 'COUNT', count);
    return entries.map(([id, [, text = '']]) => [Number(id.split('-')[0]), text] as const);
  }

  async setting(name: string): Promise<string> {
    try {
      const found: unknown = await this.#redis.config('GET', name);
      const values = Array.isArray(found) ? found : Object.entries(found as object).flat();
      return String(values[1] ?? 'unknown');
    } catch {
      return 'unknown';
    }
  }

  close(): void {
    this.#redis.disconnect();
  }
}

function withoutSecrets(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return url.replace(/^.*@/, '');
  }
}
