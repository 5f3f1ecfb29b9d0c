/** What a conducted process can be asked for, and no scenario: migrations in steps, and loops. */
import { Type } from 'typebox';
import { prose } from '../../server/abi/prose.ts';
import { shortRange, strict } from '../../server/abi/scalars.ts';
import type { VerbHelp } from '../../server/abi/verb-help.ts';
import type { Task } from '../../server/task/task.ts';
import { nextPage, type PageRange, pageRange } from '../../server/vocabulary/address.ts';
import type { Dmirror } from '../drivers/dmirror/dmirror-state.ts';
import { performVerb } from '../drivers/dmirror/dmirror-verb.ts';
import { ownsFrame } from '../drivers/hardware/device-memory.ts';
import { allMapped, entryAt } from '../drivers/hardware/device-page-table.ts';
import type { VerbResult } from '../sdk/conductor.ts';
import { type HandCall, type HandMigration, performHandStep } from './hand-migration.ts';
import { type Loops, startLoops, stopLoops } from './read-loops.ts';

/** Tasks of one read-loop. */
const LOOP_THREADS_MAX = 16;

/** What a device process keeps for its verbs, besides the driver's own state. */
export interface DeviceHand {
  readonly dmirror: Dmirror;
  readonly loops: Loops;
  readonly migration: HandMigration;
}

export interface HandVerbSpec<Params extends Type.TObject> {
  readonly meaning: string;
  readonly result: string;
  readonly help: VerbHelp | 'none';
  readonly params: Params;
  readonly perform: (hand: DeviceHand, params: Type.Static<Params>) => Task<VerbResult>;
}

function verb<const Params extends Type.TObject>(spec: HandVerbSpec<Params>) {
  return spec;
}

const onRange = strict({ range: shortRange });
const byHand = { group: 'migration by hand' } as const;
const loops = { group: 'loops' } as const;

function handStep(step: Exclude<HandCall['verb'], 'setup'>) {
  return ({ migration, dmirror }: DeviceHand) =>
    performHandStep(migration, dmirror, { verb: step });
}

export const HAND_VERBS = {
  setup: verb({
    meaning: prose(`
      The first step of a migration by hand: mmap_read_lock and migrate_vma_setup. One migration is open at a time, and
      until finalize a verb that would fault on its pages answers EDEADLK. A step that does not come next is refused.
    `),
    result: '`{errno, collected}`: pages that may migrate',
    help: {
      ...byHand,
      summary: 'take mmap_lock for read and call migrate_vma_setup()',
      examples: ['setup a', 'setup 0x10000 2'],
      more: prose(`
        Devices that map the pages are told to drop them; pages are locked and get migration entries. mmap_lock is
        held until finalize, so mmap and munmap of a CPU wait until then.
      `),
      errors: { EINVAL: 'Some page is not mapped. maps shows what is mapped.' },
    },
    params: onRange,
    perform: ({ migration, dmirror }, { range }) =>
      performHandStep(migration, dmirror, { verb: 'setup', range }),
  }),
  copy: verb({
    meaning:
      'Takes private frames and copies the pages into them. `pages` does it, if it was left out.',
    result: '`{errno, copied}`',
    help: {
      ...byHand,
      summary: 'take private frames and copy the pages into them (pages does it, if you do not)',
      examples: ['copy'],
    },
    params: strict({}),
    perform: handStep('copy'),
  }),
  pages: verb({
    meaning: 'Calls migrate_vma_pages.',
    result: '`{errno, moved, lost}`',
    help: {
      ...byHand,
      summary: 'call migrate_vma_pages(): the pages move, or turn out not to',
      examples: ['pages'],
    },
    params: strict({}),
    perform: handStep('pages'),
  }),
  map: verb({
    meaning:
      'Enters what moved into the device page table. `finalize` does it, if it was left out.',
    result: '`{errno, mapped}`',
    help: {
      ...byHand,
      summary: 'enter the pages that moved into my page table (finalize does it, if you do not)',
      examples: ['map'],
    },
    params: strict({}),
    perform: handStep('map'),
  }),
  finalize: verb({
    meaning: prose(`
      Calls migrate_vma_finalize and mmap_read_unlock. Without \`pages\` before, the migration is given up.
    `),
    result: '`{errno, migrated}`',
    help: {
      ...byHand,
      summary: 'call migrate_vma_finalize() and release mmap_lock',
      examples: ['finalize'],
      more: 'Without pages before, the migration is given up: the pages stay where they are.',
    },
    params: strict({}),
    perform: handStep('finalize'),
  }),
  'page-table': verb({
    meaning: 'What the device page table holds.',
    result: '`{entries}`, each `{page, pfn, access, memory}`',
    // The prompt shows it by a verb of its own, pt.
    help: 'none',
    params: strict({}),
    *perform({ dmirror }) {
      return { entries: pageTable(dmirror) };
    },
  }),
  peek: verb({
    meaning: 'What the device reads without faulting; `"unmapped"` where it would fault.',
    result: '`{values}`',
    help: {
      group: 'memory',
      summary: 'read through the entries that are there, without faulting',
      examples: ['peek a 4'],
    },
    params: onRange,
    *perform({ dmirror }, { range }) {
      return { values: yield* peek(dmirror, range) };
    },
  }),
  'read-loop': verb({
    meaning: 'Starts `threads` tasks that read the range again and again. Answers at once.',
    result: '`{}`',
    help: {
      ...loops,
      summary: 'read the pages again and again, beside everything else, until stop',
      examples: ['read-loop a 1 4'],
    },
    params: strict({
      range: shortRange,
      threads: Type.Integer({ minimum: 1, maximum: LOOP_THREADS_MAX }),
    }),
    *perform({ dmirror, loops: running }, { range, threads }) {
      yield* startLoops(running, dmirror, range, threads);
      return {};
    },
  }),
  stop: verb({
    meaning: 'Ends the loops of this range, and answers when they have ended.',
    result: '`{reads, errors}`',
    help: {
      ...loops,
      summary: 'end the loop that reads these pages, and say how often it read',
      examples: ['stop a'],
    },
    params: onRange,
    *perform({ loops: running }, { range }) {
      return { ...(yield* stopLoops(running, range)) };
    },
  }),
} as const;

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
