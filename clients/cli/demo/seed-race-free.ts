/**
 * The seed race without holds: device 1 reads in a loop while device 0 migrates, and the task that is scheduled first
 * is first. After the method of the experiment on real hardware: with everything at rest again, what device 1 then
 * reads is compared with what was written through device 0.
 */

import {
  hexAddress,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import type { LiveLab } from '../live-lab.ts';

/** Pages of one round. The experiment had 8; in every round that went wrong, all of them did. */
export const FREE_PAGES = 1;
/** Every round looks at what device 1 still maps; every so many-th reads through device 1 and the CPU as well. */
export const FULL_CHECK_EVERY = 16;
const FIRST = pageIndex(0x100200);
const RANGE: PageRange = pageRange(FIRST, pageIndex(FIRST + FREE_PAGES));
const REGION = { address: hexAddress(FIRST), pages: FREE_PAGES };
/** Tasks of device 1 that read at the same time. */
const LOOP_THREADS = 2;

export type FreeVariant = 'zero' | 'none';

export interface FreeCounts {
  rounds: number;
  /** Rounds with at least one stale page. */
  violations: number;
  stalePages: number;
  /** Rounds in which the CPU read something else than was written: must stay 0. */
  lostWrites: number;
  /** Reads of device 1 while device 0 migrated. */
  racingReads: number;
}

export function newFreeCounts(): FreeCounts {
  return { rounds: 0, violations: 0, stalePages: 0, lostWrites: 0, racingReads: 0 };
}

/** Does one verb of an actor. */
type Perform = LiveLab['perform'];

export interface FreeRace {
  readonly variant: FreeVariant;
  readonly rounds: number;
  /** Called after each round. */
  readonly progress: (counts: FreeCounts) => void;
}

/** Runs all rounds of one race in a machine without mappings. Rejects if an actor does not do its part. */
export async function runFreeRace(perform: Perform, race: FreeRace): Promise<FreeCounts> {
  const request = { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' };
  const mapped = await perform('cpu0', request);
  if (mapped.errno !== 'OK') throw new Error(`mmap: expected OK, got ${JSON.stringify(mapped)}`);
  const counts = newFreeCounts();
  for (let round = 0; round < race.rounds; round += 1) {
    await freeRound(perform, race.variant, { counts, round });
    race.progress(counts);
  }
  return counts;
}

async function freeRound(
  perform: Perform,
  variant: FreeVariant,
  { counts, round }: { readonly counts: FreeCounts; readonly round: number },
): Promise<void> {
  await perform('cpu0', { verb: 'madvise', ...REGION, advice: 'DONTNEED' });
  if (variant === 'zero') await perform('cpu0', { verb: 'load-pages', ...REGION });
  await perform('dev1', { verb: 'read-loop', range: RANGE, threads: LOOP_THREADS });
  await perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
  const stopped = await perform('dev1', { verb: 'stop', range: RANGE });
  const written = Array.from({ length: FREE_PAGES }, (_, at) => freshValue(round, at));
  await perform('dev0', { verb: 'write', range: RANGE, values: written });
  const mapped = valuesOf(await perform('dev1', { verb: 'peek', range: RANGE }));
  const stale = mapped.filter((value, at) => value !== 'unmapped' && value !== written[at]).length;
  counts.rounds += 1;
  counts.stalePages += stale;
  if (stale > 0) counts.violations += 1;
  counts.racingReads += Number(stopped.reads);
  if (round % FULL_CHECK_EVERY !== 0) return;
  const onDevice = valuesOf(await perform('dev1', { verb: 'read', range: RANGE }));
  const onCpu = valuesOf(await perform('cpu0', { verb: 'load-pages', ...REGION }));
  if (onCpu.some((value, at) => value !== written[at])) counts.lostWrites += 1;
  if (stale === 0 && onDevice.some((value, at) => value !== onCpu[at])) counts.violations += 1;
}

/** `0x...` unlike zero and unlike the value of any other page of any other round. */
function freshValue(round: number, at: number): string {
  return `0x${((round + 1) * FREE_PAGES + at).toString(16)}`;
}

function valuesOf(result: Awaited<ReturnType<Perform>>): readonly string[] {
  const values = result.values;
  return Array.isArray(values) ? values.map(String) : Array(FREE_PAGES).fill('nothing');
}
