/**
 * What a device process does when a conductor asks: the verbs of dmirror, and some more for races that run free.
 *
 *   fault-read, fault-write {range}  the device faults, whether it has an entry or not
 *   setup {range}, copy, pages, map, finalize   a migration step by step: hand-migration.ts
 *   page-table                   {entries}: what the device's own page table holds
 *   peek {range}                 {values}: what the device reads without faulting, 'unmapped' where it would fault
 *   read-loop {range, threads}   starts `threads` tasks that read the range again and again; answers at once
 *   stop {range}                 ends those of this range; answers {reads, errors} when all have ended
 */
import Type from 'typebox';
import { RANGE_PAGES_MAX } from '../../server/abi/limits.ts';
import { hexU64, shortRange, strict, word } from '../../server/abi/scalars.ts';
import { compileCheck, whyNot } from '../../server/protocol/validators.ts';
import type { Task } from '../../server/task/task.ts';
import { nextPage, overlaps, type PageRange, pageRange } from '../../server/vocabulary/address.ts';
import { ownsFrame } from '../drivers/device-memory.ts';
import { allMapped, entryAt } from '../drivers/device-page-table.ts';
import { dmirrorFault } from '../drivers/dmirror-fault.ts';
import type { Dmirror } from '../drivers/dmirror-state.ts';
import { type DmirrorVerb, performVerb } from '../drivers/dmirror-verb.ts';
import type { VerbParams, VerbResult } from '../sdk/conductor.ts';
import { VerbRefused } from '../sdk/conductor.ts';
import { type HandCall, type HandMigration, performHandStep } from './hand-migration.ts';
import { type Loops, startLoops, stopLoops } from './read-loops.ts';

/** Tasks of one read-loop. */
const LOOP_THREADS_MAX = 16;

export const DEVICE_VERBS = {
  read: { range: shortRange },
  write: {
    range: shortRange,
    values: Type.Array(hexU64, { minItems: 1, maxItems: RANGE_PAGES_MAX }),
  },
  'migrate-to-dev': { range: shortRange },
  'migrate-to-sys': { range: shortRange },
  snapshot: { range: shortRange },
  exclusive: { range: shortRange },
  'check-exclusive': { range: shortRange },
  release: {},
  'fault-read': { range: shortRange },
  'fault-write': { range: shortRange },
  setup: { range: shortRange },
  copy: {},
  pages: {},
  map: {},
  finalize: {},
  'page-table': {},
  peek: { range: shortRange },
  'read-loop': {
    range: shortRange,
    threads: Type.Integer({ minimum: 1, maximum: LOOP_THREADS_MAX }),
  },
  stop: { range: shortRange },
} as const;

export type DeviceVerbName = keyof typeof DEVICE_VERBS;
const CHECKS = new Map(
  Object.entries(DEVICE_VERBS).map(([name, fields]) => [
    name,
    compileCheck(strict({ verb: word(name), ...fields })),
  ]),
);

type DeviceVerb =
  | DmirrorVerb
  | HandCall
  | { readonly verb: 'fault-read' | 'fault-write'; readonly range: PageRange }
  | { readonly verb: 'page-table' }
  | {
      readonly verb: 'read-loop';
      readonly range: PageRange;
      readonly threads: number;
    }
  | { readonly verb: 'peek'; readonly range: PageRange }
  | { readonly verb: 'stop'; readonly range: PageRange };

/** What a device process keeps for its verbs, besides the driver's own state. */
export interface DeviceHand {
  readonly dmirror: Dmirror;
  readonly loops: Loops;
  readonly migration: HandMigration;
}

/** Does one verb. Throws: VerbRefused if it is unknown or its parameters are wrong. Yields: yes. */
export function* performDeviceVerb(
  { dmirror, loops, migration }: DeviceHand,
  params: VerbParams,
): Task<VerbResult> {
  const verb = parseVerb(params);
  if (waitsForItself(migration, verb)) return { errno: 'EDEADLK' };
  switch (verb.verb) {
    case 'fault-read':
    case 'fault-write': {
      const access = verb.verb === 'fault-read' ? 'read' : 'write';
      const faulted = yield* dmirrorFault(dmirror, verb.range, access);
      return { errno: faulted.ok ? 'OK' : faulted.errno };
    }
    case 'setup':
    case 'copy':
    case 'pages':
    case 'map':
    case 'finalize':
      return yield* performHandStep(migration, dmirror, verb);
    case 'page-table':
      return { entries: pageTable(dmirror) };
    case 'read-loop':
      yield* startLoops(loops, dmirror, verb.range, verb.threads);
      return {};
    case 'stop':
      return { ...(yield* stopLoops(loops, verb.range)) };
    case 'peek':
      return { values: yield* peek(dmirror, verb.range) };
    default:
      return { ...(yield* performVerb(dmirror, verb)) };
  }
}

/** Verbs that do not fault, or that only end something. */
const NEVER_WAIT: ReadonlySet<DeviceVerb['verb']> = new Set(['snapshot', 'peek', 'stop', 'setup']);

/** A page of the migration that this very device has open is waited for until it is finalized. */
function waitsForItself({ open }: HandMigration, verb: DeviceVerb): boolean {
  if (open === 'none' || !('range' in verb) || NEVER_WAIT.has(verb.verb)) return false;
  return overlaps(open.range, verb.range);
}

/** One entry of the device's page table, as data. */
export interface DeviceEntry {
  readonly page: number;
  readonly pfn: number;
  readonly access: 'read' | 'write' | 'exclusive';
  /** Where the frame is. */
  readonly memory: 'system' | 'private';
}

function pageTable({ pageTable: table, memory }: Dmirror): DeviceEntry[] {
  return allMapped(table).flatMap((page) => {
    const entry = entryAt(table, page);
    if (entry.state === 'none') return [];
    const where = ownsFrame(memory, entry.pfn) ? 'private' : 'system';
    return [{ page, pfn: entry.pfn, access: entry.access, memory: where }];
  });
}

/** At rest only: an entry that goes away meanwhile is faulted in again. */
function* peek(dmirror: Dmirror, range: PageRange): Task<string[]> {
  const values: string[] = [];
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    if (!dmirror.pageTable.entries.has(page)) {
      values.push('unmapped');
      continue;
    }
    const one = pageRange(page, nextPage(page));
    const read = yield* performVerb(dmirror, { verb: 'read', range: one });
    values.push(read.values?.[0] ?? read.errno);
  }
  return values;
}

function parseVerb(params: VerbParams): DeviceVerb {
  const check = CHECKS.get(params.verb);
  if (check === undefined) {
    const known = (Object.keys(DEVICE_VERBS) as DeviceVerbName[]).join(', ');
    throw new VerbRefused(`verb: expected one of ${known}`);
  }
  if (!check.accepts(params)) {
    const { path, bound } = whyNot(check, params, params.verb);
    throw new VerbRefused(`${path}: expected ${bound}`);
  }
  return params as unknown as DeviceVerb;
}
