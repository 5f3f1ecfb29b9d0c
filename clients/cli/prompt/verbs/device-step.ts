import type { AskedVerb } from '../verb.ts';
import { RANGE } from './arguments.ts';
import { countIn, plural } from './tell.ts';

const base = { group: 'migration by hand', roles: ['device'], does: 'ask' } as const;

/** A migration in calls of its own, with whatever others do in between. */
export const DEVICE_STEP_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'setup',
    summary: 'take mmap_lock for read and call migrate_vma_setup()',
    arguments: RANGE,
    examples: ['setup a', 'setup 0x10000 2'],
    more:
      'Devices that map the pages are told to drop them; pages are locked and get migration entries. mmap_lock is ' +
      'held until finalize, so mmap and munmap of a CPU wait until then.',
    params: (values) => ({ verb: 'setup', range: values.range('ADDRESS', 'PAGES') }),
    tell: (result) =>
      `migrate_vma_setup(): ${plural(countIn(result, 'collected'), 'page')} may migrate. Next: pages`,
    errors: { EINVAL: 'Some page is not mapped. maps shows what is mapped.' },
  },
  {
    ...base,
    name: 'copy',
    summary: 'take private frames and copy the pages into them (pages does it, if you do not)',
    arguments: [],
    examples: ['copy'],
    params: () => ({ verb: 'copy' }),
    tell: (result) => `copied ${plural(countIn(result, 'copied'), 'page')}. Next: pages`,
  },
  {
    ...base,
    name: 'pages',
    summary: 'call migrate_vma_pages(): the pages move, or turn out not to',
    arguments: [],
    examples: ['pages'],
    params: () => ({ verb: 'pages' }),
    tell: (result) => {
      const lost = countIn(result, 'lost');
      const moved = `migrate_vma_pages(): ${plural(countIn(result, 'moved'), 'page')} moved`;
      return `${moved}${lost === 0 ? '' : `, ${lost} did not`}. Next: finalize`;
    },
  },
  {
    ...base,
    name: 'map',
    summary: 'enter the pages that moved into my page table (finalize does it, if you do not)',
    arguments: [],
    examples: ['map'],
    params: () => ({ verb: 'map' }),
    tell: (result) => `mapped ${plural(countIn(result, 'mapped'), 'page')}. Next: finalize`,
  },
  {
    ...base,
    name: 'finalize',
    summary: 'call migrate_vma_finalize() and release mmap_lock',
    arguments: [],
    examples: ['finalize'],
    more: 'Without pages before, the migration is given up: the pages stay where they are.',
    params: () => ({ verb: 'finalize' }),
    tell: (result) =>
      `migrate_vma_finalize(): ${plural(countIn(result, 'migrated'), 'page')} migrated`,
  },
];
