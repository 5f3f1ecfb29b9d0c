/** For tests: a Redis with a port and a folder of its own, which can be stopped, killed and started again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Why tests that need Redis are skipped; false if it is here. */
export const WITHOUT_REDIS: string | false =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed: apt-get install redis-server';

/** Below those that systems give to connections. */
const PORTS = { from: 12_000, end: 32_000 };
const ATTEMPTS_MAX = 20;

export interface OwnRedisOptions {
  /** `64mb`; without, as much as there is. */
  readonly maxmemory?: string;
}

export class OwnRedis {
  readonly #directory = mkdtempSync(join(tmpdir(), 'mmrace-redis-'));
  readonly #options: OwnRedisOptions;
  #port = 0;
  #process: ChildProcess | 'none' = 'none';

  private constructor(options: OwnRedisOptions) {
    this.#options = options;
  }

  /** Resolves when it takes connections. */
  static async start(options: OwnRedisOptions = {}): Promise<OwnRedis> {
    const redis = new OwnRedis(options);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      redis.#port = randomInt(PORTS.from, PORTS.end);
      if ((await redis.again()) === 'there') return redis;
    }
    throw new Error('redis-server does not start');
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it with what it had on its disk. */
  async again(): Promise<'there' | 'over'> {
    const { maxmemory } = this.#options;
    const settings = {
      port: this.#port,
      bind: '127.0.0.1',
      dir: this.#directory,
      appendonly: 'yes',
      save: '',
      daemonize: 'no',
      logfile: '',
      ...(maxmemory === undefined ? {} : { maxmemory, 'maxmemory-policy': 'noeviction' }),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes('Ready to accept connections')) continue;
      child.stdout.resume();
      return 'there';
    }
    return 'over';
  }

  /** Runs a command of redis-cli. */
  command(...words: readonly string[]): string {
    const { stdout } = spawnSync('redis-cli', ['-p', String(this.#port), ...words], {
      encoding: 'utf8',
    });
    return stdout.trim();
  }

  pause(): void {
    if (this.#process !== 'none') this.#process.kill('SIGSTOP');
  }

  goOn(): void {
    if (this.#process !== 'none') this.#process.kill('SIGCONT');
  }

  /** As `kill -9`. Resolves when it is over. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = 'none';
    if (child === 'none' || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
