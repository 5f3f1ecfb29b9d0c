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

import type { Event } from '../../abi/event.ts';
import { hexAddress, type PageRange, pageIndex, pageRange } from '../../vocabulary/address.ts';

export type SeedActor = 'cpu0' | 'dev0' | 'dev1';

/** A verb of a device (clients/drivers/dmirror-verb.ts) or of a CPU (the methods of cpu-requests.ts). */
export interface SeedVerb {
  readonly verb: string;
  readonly [argument: string]: unknown;
}

export interface SeedResult {
  readonly [name: string]: unknown;
}

export interface SeedWorld {
  /** Does one verb. Rejects if the actor is gone or refuses. */
  perform(actor: SeedActor, verb: SeedVerb): Promise<SeedResult>;
  /** The actor's next task that returns from `after` (migrate_vma_setup) will stand still. */
  hold(actor: SeedActor, after: string): Promise<void>;
  /** Resolves when a task of the actor stands. */
  untilHeld(actor: SeedActor, after: string): Promise<void>;
  /** The actor goes on. */
  go(actor: SeedActor): Promise<void>;
  /** Everything that has happened since the world began. */
  events(): readonly Event[];
  /** Called once, also after a failure. */
  end(): Promise<void>;
}

/** Begins a fresh world whose kernel runs with `patch` ('stock' for none). */
export type NewSeedWorld = (patch: string) => Promise<SeedWorld>;

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

/** Without the second invalidation the two seed races break. Two migrators are told apart by the PTE lock. */
export function expectedAnswer(scenario: SeedScenario, patch: string): SeedAnswer {
  return patch === SEED_PATCH && scenario !== 'two-migrators' ? 'broken' : 'holds';
}

/** Runs one script in a fresh world. Rejects if an actor does not do its part: that is no verdict. */
export async function runSeedRace(
  scenario: SeedScenario,
  patch: string,
  newWorld: NewSeedWorld,
): Promise<SeedVerdict> {
  const world = await newWorld(patch);
  try {
    const mapped = { verb: 'mmap', address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' };
    expectOk(await world.perform('cpu0', mapped), 'mmap');
    const seen =
      scenario === 'two-migrators' ? await twoMigrators(world) : await seedRace(scenario, world);
    return verdictOf(scenario, patch, seen, world.events());
  } finally {
    await world.end();
  }
}

async function seedRace(
  scenario: 'seed-zero-page' | 'seed-empty-entry',
  world: SeedWorld,
): Promise<Seen> {
  if (scenario === 'seed-zero-page') await load(world);
  await world.hold('dev0', 'migrate_vma_setup');
  const migrated = world.perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
  await reached(world, migrated);
  await read(world, 'dev1');
  await world.go('dev0');
  expectOk(await migrated, 'migrate-to-dev');
  const write = { verb: 'write', range: RANGE, values: [WRITTEN] };
  expectOk(await world.perform('dev0', write), 'write');
  const onDevice = await read(world, 'dev1');
  const onCpu = await load(world);
  if (onCpu !== WRITTEN) {
    return { answer: 'broken', text: `the CPU reads ${onCpu} where dev0 wrote ${WRITTEN}` };
  }
  return onDevice === onCpu
    ? { answer: 'holds', text: `dev1 reads ${onDevice}, as dev0 wrote` }
    : { answer: 'broken', text: `dev1 reads ${onDevice} where dev0 wrote ${WRITTEN}` };
}

/** Both have collected the same hole; the one that comes second must be told that it lost. */
async function twoMigrators(world: SeedWorld): Promise<Seen> {
  const migrate = { verb: 'migrate-to-dev', range: RANGE };
  const migrations: Promise<SeedResult>[] = [];
  for (const device of ['dev0', 'dev1'] as const) {
    await world.hold(device, 'migrate_vma_setup');
    const migration = world.perform(device, migrate);
    await reached(world, migration, device);
    migrations.push(migration);
  }
  const outcomes: string[] = [];
  for (const [at, device] of (['dev0', 'dev1'] as const).entries()) {
    await world.go(device);
    outcomes.push(String((await migrations[at])?.errno));
  }
  const winners = outcomes.filter((errno) => errno === 'OK').length;
  const text = `dev0 got ${outcomes[0]}, dev1 got ${outcomes[1]}`;
  if (winners !== 1) return { answer: 'broken', text: `${text}: not exactly one has won` };
  const kept = framesInUse(world.events());
  if (kept !== 1) return { answer: 'broken', text: `${text}: ${kept} device pages are in use` };
  const write = { verb: 'write', range: RANGE, values: [WRITTEN] };
  expectOk(await world.perform(outcomes[0] === 'OK' ? 'dev0' : 'dev1', write), 'write');
  const onCpu = await load(world);
  if (onCpu !== WRITTEN) {
    return { answer: 'broken', text: `${text}; the CPU reads ${onCpu}, not ${WRITTEN}` };
  }
  return { answer: 'holds', text: `${text}; the page of the loser was freed` };
}

/** Waits until the migration stands after its setup. One that ends before has not raced. */
async function reached(
  world: SeedWorld,
  migration: Promise<SeedResult>,
  device: 'dev0' | 'dev1' = 'dev0',
): Promise<void> {
  const first = await Promise.race([
    world.untilHeld(device, 'migrate_vma_setup').then(() => 'held' as const),
    migration,
  ]);
  if (first !== 'held') {
    throw new Error(`${device} was not held after migrate_vma_setup: ${JSON.stringify(first)}`);
  }
}

async function read(world: SeedWorld, device: 'dev0' | 'dev1'): Promise<string> {
  const result = await world.perform(device, { verb: 'read', range: RANGE });
  expectOk(result, 'read');
  return String((result.values as readonly string[] | undefined)?.[0]);
}

async function load(world: SeedWorld): Promise<string> {
  const result = await world.perform('cpu0', { verb: 'load', address: ADDRESS });
  return String(result.value ?? result.signal);
}

function expectOk(result: SeedResult, what: string): void {
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
