/** A server in a process of its own, at one address, that is killed and started again. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DurabilityMode } from '../journal/durability.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const DIE_AT = new URL('die-at.fixture.ts', import.meta.url).href;

export interface MortalServerOptions {
  readonly directory: string;
  readonly durability: DurabilityMode;
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

  /** Resolves when the process is over. */
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
  async start(dieAt: number | 'never' = 'never'): Promise<'listens' | 'over'> {
    const { directory, durability } = this.#options;
    const dies = dieAt === 'never' ? [] : ['--import', DIE_AT];
    this.#told = 'nothing';
    const child = spawn(process.execPath, [...dies, MAIN], {
      env: {
        ...process.env,
        MMRACE_PORT: String(this.#port),
        MMRACE_RECORD: directory,
        MMRACE_RESTORE: 'restored',
        MMRACE_DURABILITY: durability,
        MMRACE_LOG: 'silent',
        MMRACE_DIE_AT: String(dieAt),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    const said: string[] = [];
    this.#over = new Promise((resolve) => {
      child.once('exit', (code) => {
        // Killed, and not ended by something that it found wrong.
        assert.equal(code, this.#told === 'to end' ? 0 : null, said.join('\n'));
        resolve();
      });
    });
    assert.ok(child.stderr !== null);
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
      if (found === null) continue;
      this.#port = Number(found[1]);
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

  /** As `kill -9`. Resolves when it is over. */
  async kill(): Promise<void> {
    if (this.#process !== 'none') this.#process.kill('SIGKILL');
    await this.#over;
  }
}
