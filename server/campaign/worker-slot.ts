/** A thread of a worker: one unit at a time. It is ended and begun anew where it does not come back by itself. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSearchPool, type SearchPool } from '../verify/explore/workers/search-pool.ts';
import { SharedSearch } from '../verify/explore/workers/shared-search.ts';
import { unpack } from './code-bundle.ts';
import { type Core, coreId, hasOwnCode } from './core.ts';
import { runUnit } from './run-unit.ts';
import type { Unit, UnitValue } from './unit.ts';

interface Ran {
  readonly value: UnitValue;
  readonly ms: number;
  readonly folder: string;
}

export class WorkerSlot {
  readonly #folder: string;
  readonly #unpacked = new Set<string>();
  #shared = new SharedSearch();
  #pool: Promise<SearchPool> | 'none' = 'none';
  #stopped: 'stopped' | 'no' = 'no';
  /** Whose unit it has. */
  campaign: string | 'none' = 'none';

  /** `folder`: for code of users, one below it for each core. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** 'stopped' if stop() was called meanwhile. Throws: BadInput for what the user gave; what ended the thread. */
  async run(unit: Unit, core: Core): Promise<Ran | 'stopped'> {
    const folder = this.#folderOf(core);
    if (this.#pool === 'none') {
      this.#shared = new SharedSearch();
      this.#stopped = 'no';
      this.#pool = openSearchPool({ threads: 1, shared: this.#shared });
    }
    const pool = await this.#pool;
    const began = performance.now();
    try {
      const value = await runUnit(unit, core, { pool, folder });
      if (this.#isStopped()) return 'stopped';
      return { value, ms: performance.now() - began, folder };
    } catch (error) {
      const stopped = this.#isStopped();
      // It may be in a loop, or dead.
      await this.close();
      if (stopped) return 'stopped';
      throw error;
    }
  }

  /** Ends what it does soon, without an answer. */
  async stop(): Promise<void> {
    this.#stopped = 'stopped';
    this.#shared.stop();
    await this.close();
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = 'none';
    if (pool !== 'none') await (await pool).close();
  }

  #isStopped(): boolean {
    return this.#stopped === 'stopped';
  }

  #folderOf(core: Core): string {
    const id = coreId(core);
    const folder = join(this.#folder, id);
    if (!hasOwnCode(core) || this.#unpacked.has(id)) return folder;
    mkdirSync(folder, { recursive: true });
    unpack(core.code, folder);
    this.#unpacked.add(id);
    return folder;
  }
}
