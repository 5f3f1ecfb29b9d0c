/**
 * The seed race without holds: device 1 reads in a loop while device 0 migrates, and whoever is scheduled first is
 * first. After the method of the experiment on real hardware: with everything at rest again, what device 1 then reads
 * is compared with what was written through device 0.
 */

import { hexAddress, type PageRange, pageIndex, pageRange } from '../vocabulary/address.ts';
import type { SeedResult, SeedVerb } from './seed-race-world.ts';

const FIRST = pageIndex(0x100200);
/** Pages of one round, as in the experiment. */
export const FREE_PAGES = 8;
const RANGE: PageRange = pageRange(FIRST, pageIndex(FIRST + FREE_PAGES));
const ADDRESS = hexAddress(FIRST);
/** Tasks of device 1 that read at the same time. */
const LOOP_THREADS = 2;

export type FreeVariant = 'zero' | 'none';

export interface FreeCounts {
  readonly variant: FreeVariant;
  rounds: number;
  /** Rounds with at least one stale page. */
  violations: number;
  stalePages: number;
  /** Rounds in which the CPU read something else than was written: must stay 0. */
  lostWrites: number;
  /** Reads of device 1 while device 0 migrated. */
  racingReads: number;
}

export function newFreeCounts(variant: FreeVariant): FreeCounts {
  return { variant, rounds: 0, violations: 0, stalePages: 0, lostWrites: 0, racingReads: 0 };
}

/** Does one verb of an actor; see seed-race-world.ts. */
export type Perform = (actor: 'cpu0' | 'dev0' | 'dev1', verb: SeedVerb) => Promise<SeedResult>;

/** Maps the memory of all rounds. Once in a machine. */
export async function prepareFreeRace(perform: Perform): Promise<void> {
  const region = { address: ADDRESS, pages: FREE_PAGES };
  const mapped = await perform('cpu0', {
    verb: 'mmap',
    ...region,
    prot: 'rw',
    kind: 'anon-private',
  });
  if (mapped.errno !== 'OK') throw new Error(`mmap: expected OK, got ${JSON.stringify(mapped)}`);
}

/** One round; `counts` grows by it. `round` makes the values of this round unlike those of every other. */
export async function freeRound(
  perform: Perform,
  counts: FreeCounts,
  round: number,
): Promise<void> {
  const region = { address: ADDRESS, pages: FREE_PAGES };
  await perform('cpu0', { verb: 'madvise', ...region, advice: 'DONTNEED' });
  if (counts.variant === 'zero') await perform('cpu0', { verb: 'load-pages', ...region });
  await perform('dev1', { verb: 'read-loop', range: RANGE, threads: LOOP_THREADS });
  await perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
  const stopped = await perform('dev1', { verb: 'stop' });
  const written = Array.from({ length: FREE_PAGES }, (_, at) => hexValue(round, at));
  await perform('dev0', { verb: 'write', range: RANGE, values: written });
  const onDevice = valuesOf(await perform('dev1', { verb: 'read', range: RANGE }));
  const onCpu = valuesOf(await perform('cpu0', { verb: 'load-pages', ...region }));
  const stale = onCpu.filter((value, at) => value !== onDevice[at]).length;
  counts.rounds += 1;
  counts.stalePages += stale;
  if (stale > 0) counts.violations += 1;
  if (onCpu.some((value, at) => value !== written[at])) counts.lostWrites += 1;
  counts.racingReads += Number(stopped.reads);
}

/** `0x...` unlike zero and unlike the value of any other page of any other round. */
function hexValue(round: number, at: number): string {
  return `0x${((round + 1) * FREE_PAGES + at).toString(16)}`;
}

function valuesOf(result: SeedResult): readonly string[] {
  const values = result.values;
  return Array.isArray(values) ? values.map(String) : Array(FREE_PAGES).fill('nothing');
}
