/** A server in a process of its own, at one address, that is killed and started again. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DurabilityMode } from '../journal/durability.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const DIE_AT = new URL('die-at.fixture.ts', import.meta.url).href;

/** Below those that systems give to connections: one of them could have the port while the server is not there. */
const PORTS = { from: 12_000, end: 32_000 };

export interface MortalServerOptions {
  /** The file that is run, and beside it what the first process that ends by itself has compiled. */
  readonly main?: string;
  /** Where its labs are kept: a folder, or Redis. */
  readonly directory?: string;
  readonly redis?: { readonly url: string; readonly ownerLeaseMs: number };
  /** Entries between two checkpoints. */
  readonly checkpointEvery?: number;
}

export class MortalServer {
  readonly #options: MortalServerOptions;
  #process: ChildProcess | 'none' = 'none';
  #port = 0;
  #told: 'nothing' | 'to end' = 'nothing';
  #over: Promise<void> = Promise.resolve();

  constructor(options: MortalServerOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  /** Resolves when the process is over. Rejects if it ended because of something that it found wrong. */
  get over(): Promise<void> {
    return this.#over;
  }

  /** MiB of memory that the process has; 'unknown' where the system does not say. */
  get rssMib(): number | 'unknown' {
    if (this.#process === 'none') return 'unknown';
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
      return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
    } catch {
      return 'unknown';
    }
  }

  /**
   * Begins to start it. With `dieAt` it is killed at its `dieAt`th change of a file.
   *
   * Resolves when it listens, or is over before.
   */
  async start(
    durability: DurabilityMode,
    dieAt: number | 'never' = 'never',
  ): Promise<'listens' | 'over'> {
    const { main = MAIN, checkpointEvery = 4_000 } = this.#options;
    const dies = dieAt === 'never' ? [] : ['--import', DIE_AT];
    this.#told = 'nothing';
    if (this.#port === 0) this.#port = await freePort();
    const child = spawn(process.execPath, [...dies, main], {
      env: {
        ...process.env,
        MMRACE_PORT: String(this.#port),
        ...this.#keeping(),
        MMRACE_DURABILITY: durability,
        MMRACE_CHECKPOINT_EVERY: String(checkpointEvery),
        MMRACE_LOG: 'silent',
        MMRACE_DIE_AT: String(dieAt),
        ...(main === MAIN ? {} : { NODE_COMPILE_CACHE: join(dirname(main), 'compiled') }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    const said: string[] = [];
    this.#over = this.#ends(child, said);
    // Whoever waits for it hears of it.
    this.#over.catch(() => undefined);
    assert.ok(child.stderr !== null);
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (!line.includes('http://127.0.0.1:')) continue;
      child.stderr.resume();
      return 'listens';
    }
    return 'over';
  }

  /** As `kill`. Resolves when it is over. */
  async terminate(): Promise<void> {
    this.#told = 'to end';
    if (this.#process !== 'none') this.#process.kill('SIGTERM');
    await this.#over;
  }

  /** It stands still, as a machine that is suspended; until goOn(). */
  pause(): void {
    if (this.#process !== 'none') this.#process.kill('SIGSTOP');
  }

  goOn(): void {
    if (this.#process !== 'none') this.#process.kill('SIGCONT');
  }

  /** As `kill -9`. Resolves when it is over. */
  async kill(): Promise<void> {
    if (this.#process !== 'none') this.#process.kill('SIGKILL');
    await this.#over;
  }

  #keeping(): Record<string, string> {
    const { directory, redis } = this.#options;
    if (redis !== undefined) {
      return {
        MMRACE_REDIS: redis.url,
        MMRACE_OWNER_LEASE_MS: String(redis.ownerLeaseMs),
        MMRACE_HEARTBEAT_MS: '1000',
      };
    }
    return directory === undefined ? {} : { MMRACE_RECORD: directory, MMRACE_RESTORE: 'restored' };
  }

  async #ends(child: ChildProcess, said: readonly string[]): Promise<void> {
    const [code] = await once(child, 'exit');
    // Killed, and not ended by something that it found wrong.
    assert.equal(code, this.#told === 'to end' ? 0 : null, said.join('\n'));
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.end);
    const server = createServer();
    const state = await new Promise<'free' | 'taken'>((resolve) => {
      server.once('error', () => resolve('taken'));
      server.listen(port, '127.0.0.1', () => resolve('free'));
    });
    if (state === 'taken') continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
