/**
 * The argument that mmrace began with, as scripts: may migrate_vma_pages() fill an empty entry or a zero page without
 * invalidating again? The order of events is forced by holds; nothing waits for a clock.
 *
 *   dev0                          dev1
 *   migrate_vma_setup()
 *                                 read: faults, maps the zero page
 *   migrate_vma_pages()           <- must take that mapping away
 *   migrate_vma_finalize()
 *   write
 *                                 read: sees what dev0 wrote, or zero for ever
 */

import type { Event } from '../../../server/abi/event.ts';
import { DEFAULT_KERNEL, type KernelId } from '../../../server/abi/kernel-ids.ts';
import {
  hexAddress,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import type { LiveLab } from '../live-lab.ts';

export type SeedScenario = 'seed-zero-page' | 'seed-empty-entry' | 'two-migrators';
export type SeedAnswer = 'holds' | 'broken';

export const SEED_SCENARIOS: readonly SeedScenario[] = [
  'seed-zero-page',
  'seed-empty-entry',
  'two-migrators',
];

export const SEED_PATCH = 'remove-second-invalidate';

/** The page of the race. It starts a page-table page. */
const PAGE = pageIndex(0x100200);
const RANGE: PageRange = pageRange(PAGE, pageIndex(PAGE + 1));
const ADDRESS = hexAddress(PAGE);
/** Unlike zero, so that a stale zero shows. */
const WRITTEN = '0x2a';

export interface SeedVerdict {
  readonly scenario: SeedScenario;
  /** 'stock' for none. */
  readonly patch: string;
  readonly verdict: SeedAnswer;
  readonly expected: SeedAnswer;
  /** What was seen, in one sentence. */
  readonly seen: string;
  readonly page: number;
  readonly events: readonly Event[];
  readonly violations: readonly Extract<Event, { kind: 'violation' }>[];
}

/** What was seen, before the oracles are asked. */
interface Seen {
  readonly answer: SeedAnswer;
  readonly text: string;
}

/** Without the second invalidation the two seed races break. The PTE lock decides between two migrators. */
export function expectedAnswer(scenario: SeedScenario, patch: string): SeedAnswer {
  return patch === SEED_PATCH && scenario !== 'two-migrators' ? 'broken' : 'holds';
}

/** What a client answers to a verb. */
type Answer = Awaited<ReturnType<LiveLab['perform']>>;

export interface SeedQuestion {
  readonly scenario: SeedScenario;
  /** 'stock' for none. */
  readonly patch: string;
  readonly kernel?: KernelId;
}

/**
 * Runs one script on a fresh machine under the clients of `live`; the machine stays for the lab's observers. Rejects if
 * an actor does not do its part: that is no verdict.
 */
export async function runSeedRace(
  live: LiveLab,
  { scenario, patch, kernel = DEFAULT_KERNEL }: SeedQuestion,
): Promise<SeedVerdict> {
  await live.renew({ kernel, patch });
  const { kept } = live.machine.world.log;
  const mapped = { verb: 'mmap', address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' };
  expectOk(await live.perform('cpu0', mapped), 'mmap');
  const seen =
    scenario === 'two-migrators' ? await twoMigrators(live, kept) : await seedRace(scenario, live);
  return verdictOf(scenario, patch, seen, kept);
}

async function seedRace(
  scenario: 'seed-zero-page' | 'seed-empty-entry',
  live: LiveLab,
): Promise<Seen> {
  if (scenario === 'seed-zero-page') await load(live);
  await live.hold('dev0', 'migrate_vma_setup');
  const migrated = live.perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
  await reached(live, migrated);
  await read(live, 'dev1');
  await live.go('dev0');
  expectOk(await migrated, 'migrate-to-dev');
  const write = { verb: 'write', range: RANGE, values: [WRITTEN] };
  expectOk(await live.perform('dev0', write), 'write');
  const onDevice = await read(live, 'dev1');
  const onCpu = await load(live);
  if (onCpu !== WRITTEN) {
    return { answer: 'broken', text: `the CPU reads ${onCpu} where dev0 wrote ${WRITTEN}` };
  }
  return onDevice === onCpu
    ? { answer: 'holds', text: `dev1 reads ${onDevice}, as dev0 wrote` }
    : { answer: 'broken', text: `dev1 reads ${onDevice} where dev0 wrote ${WRITTEN}` };
}

/** Both have collected the same hole; the one that comes second must see that it lost. */
async function twoMigrators(live: LiveLab, events: readonly Event[]): Promise<Seen> {
  const migrate = { verb: 'migrate-to-dev', range: RANGE };
  const migrations: Promise<Answer>[] = [];
  for (const device of ['dev0', 'dev1'] as const) {
    await live.hold(device, 'migrate_vma_setup');
    const migration = live.perform(device, migrate);
    await reached(live, migration, device);
    migrations.push(migration);
  }
  const outcomes: string[] = [];
  for (const [at, device] of (['dev0', 'dev1'] as const).entries()) {
    await live.go(device);
    outcomes.push(String((await migrations[at])?.errno));
  }
  const winners = outcomes.filter((errno) => errno === 'OK').length;
  const text = `dev0 got ${outcomes[0]}, dev1 got ${outcomes[1]}`;
  if (winners !== 1) return { answer: 'broken', text: `${text}: not exactly one has won` };
  const kept = framesInUse(events);
  if (kept !== 1) return { answer: 'broken', text: `${text}: ${kept} device pages are in use` };
  const write = { verb: 'write', range: RANGE, values: [WRITTEN] };
  expectOk(await live.perform(outcomes[0] === 'OK' ? 'dev0' : 'dev1', write), 'write');
  const onCpu = await load(live);
  if (onCpu !== WRITTEN) {
    return { answer: 'broken', text: `${text}; the CPU reads ${onCpu}, not ${WRITTEN}` };
  }
  return { answer: 'holds', text: `${text}; the page of the loser was freed` };
}

/** Waits until the migration stands after its setup. One that ends before has not raced. */
async function reached(
  live: LiveLab,
  migration: Promise<Answer>,
  device: 'dev0' | 'dev1' = 'dev0',
): Promise<void> {
  const first = await Promise.race([
    live.untilHeld(device, 'migrate_vma_setup').then(() => 'held' as const),
    migration,
  ]);
  if (first !== 'held') {
    throw new Error(`${device} was not held after migrate_vma_setup: ${JSON.stringify(first)}`);
  }
}

async function read(live: LiveLab, device: 'dev0' | 'dev1'): Promise<string> {
  const result = await live.perform(device, { verb: 'read', range: RANGE });
  expectOk(result, 'read');
  return String((result.values as readonly string[] | undefined)?.[0]);
}

async function load(live: LiveLab): Promise<string> {
  const result = await live.perform('cpu0', { verb: 'load', address: ADDRESS });
  return String(result.value ?? result.signal);
}

function expectOk(result: Answer, what: string): void {
  if (result.errno !== 'OK') throw new Error(`${what}: expected OK, got ${JSON.stringify(result)}`);
}

/** A violation that an oracle found breaks the verdict, whatever the values were. */
function verdictOf(
  scenario: SeedScenario,
  patch: string,
  seen: Seen,
  events: readonly Event[],
): SeedVerdict {
  const violations = events.filter((event) => event.kind === 'violation');
  const verdict = violations.length > 0 ? 'broken' : seen.answer;
  const expected = expectedAnswer(scenario, patch);
  const text =
    seen.answer === 'broken' && violations.length === 0
      ? `${seen.text}; no oracle has noticed`
      : seen.text;
  return { scenario, patch, verdict, expected, seen: text, page: PAGE, events, violations };
}

/** Frames that were allocated and not freed again. */
function framesInUse(events: readonly Event[]): number {
  let count = 0;
  for (const { kind } of events) {
    if (kind === 'frame-alloc') count += 1;
    else if (kind === 'frame-free') count -= 1;
  }
  return count;
}

/** As expected, and if broken then reported by an oracle with both histories. */
export function isAsExpected({ verdict, expected, violations }: SeedVerdict): boolean {
  if (verdict !== expected) return false;
  return (
    verdict === 'holds' ||
    violations.some(
      ({ cpuHistory, deviceHistory }) => cpuHistory.length > 0 && deviceHistory.length > 0,
    )
  );
}
