import type { AskedVerb } from '../verb.ts';
import { RANGE } from './arguments.ts';
import { countIn, plural, valueRows } from './tell.ts';

const base = { group: 'migration', roles: ['device'], does: 'ask' } as const;

/** Migration as the driver does it, in one go. */
export const DEVICE_MIGRATE_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'migrate-to-dev',
    summary: 'migrate the pages into the memory of this device, and read them there',
    arguments: RANGE,
    examples: ['migrate-to-dev', 'migrate-to-dev 0x10000 4'],
    params: (values) => ({ verb: 'migrate-to-dev', range: values.range('ADDRESS', 'PAGES') }),
    tell: valueRows,
    errors: {
      ENOENT:
        'Some page did not migrate: another device has it, it is pinned, or it moved meanwhile.',
      EINVAL: 'Some page is not mapped, or cannot be read. maps shows what is mapped.',
    },
  },
  {
    ...base,
    name: 'migrate-to-sys',
    summary: 'migrate the pages of this device back to system memory',
    arguments: RANGE,
    examples: ['migrate-to-sys a'],
    params: (values) => ({ verb: 'migrate-to-sys', range: values.range('ADDRESS', 'PAGES') }),
    tell: (result) => `${plural(countIn(result, 'cpages'), 'page')} went back`,
    errors: { EINVAL: 'Some page is not mapped, or cannot be read. maps shows what is mapped.' },
  },
  {
    ...base,
    name: 'release',
    summary: 'give all private memory up: every page of it goes back to system memory',
    arguments: [],
    examples: ['release'],
    params: () => ({ verb: 'release' }),
    tell: () => 'no page is left in the memory of this device',
  },
];
