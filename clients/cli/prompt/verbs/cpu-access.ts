import type { Argument, AskedVerb } from '../verb.ts';
import { PAGE, RANGE } from './arguments.ts';
import { rows } from './tell.ts';

const base = { group: 'memory', roles: ['cpu'], does: 'ask' } as const;

const WORD: Argument = {
  name: 'ADDRESS',
  kind: 'word',
  presence: { default: 'a' },
  what: 'eight bytes',
};

export const CPU_ACCESS_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'load',
    summary: 'read eight bytes, faulting where the page table has no entry',
    arguments: [WORD],
    examples: ['load', 'load 0x10008', 'load a+1'],
    params: (values) => ({ verb: 'load', address: values.address('ADDRESS') }),
    tell: ({ value }, values) => `${values.address('ADDRESS')} = ${value}`,
  },
  {
    ...base,
    name: 'store',
    summary: 'write eight bytes',
    arguments: [
      WORD,
      { name: 'VALUE', kind: 'u64', presence: 'required', what: 'decimal or 0x-hexadecimal' },
    ],
    examples: ['store 42', 'store 0x10000 0x2a', 'store a+1 7'],
    params: (values) => ({
      verb: 'store',
      address: values.address('ADDRESS'),
      value: values.u64('VALUE'),
    }),
    tell: (_, values) => `${values.address('ADDRESS')} := ${values.u64('VALUE')}`,
  },
  {
    ...base,
    name: 'load-pages',
    summary: 'read the first word of each page, all at once',
    arguments: RANGE,
    examples: ['load-pages a 4'],
    params: (values) => ({
      verb: 'load-pages',
      address: values.address('ADDRESS'),
      pages: values.number('PAGES'),
    }),
    tell: ({ values: loaded }, values) =>
      rows(Array.isArray(loaded) ? loaded.map(String) : [], values.page('ADDRESS')),
  },
  {
    ...base,
    name: 'store-pages',
    summary: 'write a value at the start of each page, one page a value, all at once',
    arguments: [
      PAGE,
      { name: 'VALUE', kind: 'u64', presence: 'some', what: 'decimal or 0x-hexadecimal' },
    ],
    examples: ['store-pages a 1 2 3 4'],
    params: (values) => ({
      verb: 'store-pages',
      address: values.address('ADDRESS'),
      values: values.u64s('VALUE'),
    }),
    tell: (_, values) => rows(values.u64s('VALUE'), values.page('ADDRESS')),
  },
];
