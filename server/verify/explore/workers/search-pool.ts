/** The threads of one search, and a watchdog that sees to it that each of them gets on. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import type { ExploreRequest } from '../../../scenario/explore-request.ts';
import { BadSetup } from '../../../scenario/scenario-world.ts';
import { BadInput } from '../../../vocabulary/bad-input.ts';
import type { Jobs, Reply } from './jobs.ts';
import type { SharedSearch } from './shared-search.ts';
import { type Place, whereStuck } from './where-stuck.ts';

export interface SearchPool {
  /** `sent` go to the thread, for good. Throws: BadInput for what the user gave. */
  run<Name extends keyof Jobs>(
    name: Name,
    job: Omit<Jobs[Name]['job'], 'shared'>,
    sent?: readonly MessagePort[],
  ): Promise<Jobs[Name]['answer']>;
  /** Ends the threads, whatever they do. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly threads: number;
  readonly shared: SharedSearch;
  /** A thread that builds no world for so long is stuck. */
  readonly stuckAfterMs?: number;
}

/** An execution takes milliseconds; a machine may be busy. */
const STUCK_AFTER_MS = 5_000;
const LOOKS_PER_LIMIT = 10;

/** The threads start with the first job. */
export async function openSearchPool(options: PoolOptions): Promise<SearchPool> {
  // Most searches need no threads, and should not wait for this.
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: workerFile(),
    minThreads: 1,
    maxThreads: options.threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    // A thread starts in half the time where the sources are compiled already; Node keeps them there itself.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
  });
  const { shared } = options;
  return {
    async run(name, job, sent = []) {
      const { slot, asked } = job as { readonly slot: number; readonly asked: ExploreRequest };
      const supervision = supervise(options, slot, asked);
      try {
        // Its type is that of another overload of postMessage(): a list is asked for.
        const transferList = [...sent] as object;
        const work = pool.run({ ...job, shared: shared.buffer }, { name, transferList }) as Promise<
          Reply<unknown>
        >;
        const reply = await Promise.race([work, supervision.stuck]);
        if (reply.kind === 'bad setup') throw new BadSetup(reply.message);
        if (reply.kind === 'bad input') throw new BadInput(reply.message);
        return reply.value as Jobs[typeof name]['answer'];
      } finally {
        supervision.end();
      }
    },
    async close() {
      await pool.destroy();
    },
  };
}

function workerFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`explore-worker.${extension}`, import.meta.url));
}

/** `stuck` rejects when the thread of `slot` has begun and does not get on. */
function supervise(
  { shared, stuckAfterMs = STUCK_AFTER_MS }: PoolOptions,
  slot: number,
  asked: ExploreRequest,
): { readonly stuck: Promise<never>; end(): void } {
  let beats = shared.beats(slot);
  let looks = 0;
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = shared.beats(slot);
      looks = now === beats ? looks + 1 : 0;
      beats = now;
      if (now === 0 || looks <= LOOKS_PER_LIMIT) return;
      clearInterval(timer);
      whereStuck(shared.threadOf(slot)).then((places) => {
        // It may have got on just then.
        reject(new BadInput(stuckText(asked, places, stuckAfterMs)));
      }, reject);
    }, stuckAfterMs / LOOKS_PER_LIMIT);
  });
  return { stuck, end: () => clearInterval(timer) };
}

/** `/home/me/mine.ts:12: perform() has not let anybody else run for 5 s; ...`. */
export function stuckText(
  asked: ExploreRequest,
  places: readonly Place[],
  afterMs: number,
): string {
  const own = [asked.patch, ...asked.drivers.map((driver) => driver.replace(/^[^=]*=/, ''))];
  const place = places.find(({ file }) => own.includes(file));
  const seconds = afterMs / 1_000;
  const remedy = 'a loop must come to an end, or let others run at a yield in it';
  if (place === undefined) {
    const files = own.filter((name) => /[\\/]/.test(name)).join(', ') || asked.file;
    return `${files}: one execution has not come to its end for ${seconds} s; ${remedy}`;
  }
  const name = place.function === '' ? 'the module' : `${place.function}()`;
  return `${place.file}:${place.line}: ${name} has let no other task run for ${seconds} s; ${remedy}`;
}
