import type { AskedVerb } from '../verb.ts';
import { PAGE, RANGE } from './arguments.ts';
import { countIn, placeIn, plural, valueRows } from './tell.ts';

const base = { group: 'memory', roles: ['device'], does: 'ask' } as const;
const range = (values: Parameters<AskedVerb['params']>[0]) => values.range('ADDRESS', 'PAGES');

/** What the device's engine does through its own page table. */
export const DEVICE_ACCESS_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'read',
    summary: 'read the first word of each page, faulting where there is no entry',
    arguments: RANGE,
    examples: ['read', 'read 0x10000 4', 'read a+1'],
    params: (values) => ({ verb: 'read', range: range(values) }),
    tell: (result, values) => `${valueRows(result, values)}${faults(countIn(result, 'faults'))}`,
  },
  {
    ...base,
    name: 'write',
    summary: 'write a value at the start of each page, one page a value',
    arguments: [
      PAGE,
      { name: 'VALUE', kind: 'u64', presence: 'some', what: 'decimal or 0x-hexadecimal' },
    ],
    examples: ['write 42', 'write a 1 2 3', 'write 0x10000 0x2a'],
    params: (values) => {
      const first = values.page('ADDRESS');
      const contents = values.u64s('VALUE');
      return { verb: 'write', range: { first, end: first + contents.length }, values: contents };
    },
    tell: (result) =>
      `wrote ${plural(countIn(result, 'cpages'), 'page')}${faults(countIn(result, 'faults'))}`,
  },
  {
    ...base,
    name: 'fault-read',
    summary: 'fault the pages in for reading, whether there is an entry or not',
    arguments: RANGE,
    examples: ['fault-read a'],
    params: (values) => ({ verb: 'fault-read', range: range(values) }),
    tell: (_, values) => `mapped ${placeIn(values)} (pt shows how)`,
  },
  {
    ...base,
    name: 'fault-write',
    summary: 'fault the pages in for writing',
    arguments: RANGE,
    examples: ['fault-write a'],
    params: (values) => ({ verb: 'fault-write', range: range(values) }),
    tell: (_, values) => `mapped ${placeIn(values)} for writing (pt shows how)`,
  },
  {
    ...base,
    name: 'peek',
    summary: 'read through the entries that are there, without faulting',
    arguments: RANGE,
    examples: ['peek a 4'],
    params: (values) => ({ verb: 'peek', range: range(values) }),
    tell: valueRows,
  },
  {
    ...base,
    name: 'snapshot',
    summary: 'what hmm_range_fault() says of the CPU page table, without faulting',
    arguments: RANGE,
    examples: ['snapshot a 4'],
    params: (values) => ({ verb: 'snapshot', range: range(values) }),
    tell: (result, values) => valueRows({ values: result.prot ?? [] }, values),
  },
];

function faults(count: number): string {
  return count === 0 ? '' : ` (${plural(count, 'fault')})`;
}
