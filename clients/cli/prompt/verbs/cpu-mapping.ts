import type { Values } from '../values.ts';
import type { Argument, AskedVerb } from '../verb.ts';
import { PAGE, PAGES, RANGE } from './arguments.ts';
import { placeIn } from './tell.ts';

const base = { group: 'mappings', roles: ['cpu'], does: 'ask' } as const;
const region = (values: Values) => ({
  address: values.address('ADDRESS'),
  pages: values.number('PAGES'),
});

const NEW_PAGE: Argument = {
  ...PAGE,
  presence: { default: 'free' },
  what: 'the first page; free: behind what is mapped',
};
const PROT: Argument = {
  name: 'PROT',
  kind: 'choice',
  choices: ['rw', 'r', 'none'],
  presence: { default: 'rw' },
  what: 'rights',
};

/** System calls that change what is mapped. */
export const CPU_MAPPING_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'mmap',
    summary: 'map pages',
    arguments: [
      NEW_PAGE,
      { ...PAGES, presence: { default: '4' } },
      PROT,
      {
        name: 'KIND',
        kind: 'choice',
        choices: ['anon-private', 'anon-shared', 'file-private', 'file-shared'],
        presence: { default: 'anon-private' },
        what: 'what is behind the pages',
      },
      { name: 'FILE', kind: 'id', presence: { default: 'none' }, what: 'the file, by number' },
      {
        name: 'OFFSET',
        kind: 'id',
        presence: { default: 'none' },
        what: 'pages of the file before the first',
      },
    ],
    examples: [
      'mmap',
      'mmap 0x10000 4',
      'mmap 0x20000 2 r anon-shared',
      'mmap free 2 rw file-shared 0',
    ],
    params: (values) => ({
      verb: 'mmap',
      ...region(values),
      prot: values.word('PROT'),
      kind: values.word('KIND'),
      ...(values.has('FILE') ? { file: values.number('FILE') } : {}),
      ...(values.has('OFFSET') ? { offset: values.number('OFFSET') } : {}),
    }),
    tell: (_, values) => `mapped ${placeIn(values)} ${values.word('PROT')} ${values.word('KIND')}`,
    errors: {
      EEXIST: 'Something is mapped there. maps shows it; munmap it first, or say mmap free.',
    },
  },
  {
    ...base,
    name: 'munmap',
    summary: 'unmap pages: every device drops them first',
    arguments: RANGE,
    examples: ['munmap a 4'],
    params: (values) => ({ verb: 'munmap', ...region(values) }),
    tell: (_, values) => `unmapped ${placeIn(values)}`,
  },
  {
    ...base,
    name: 'mprotect',
    summary: 'change the rights of pages',
    arguments: [...RANGE, { ...PROT, presence: { default: 'r' } }],
    examples: ['mprotect a 4 r', 'mprotect 0x10000 1 none'],
    params: (values) => ({ verb: 'mprotect', ...region(values), prot: values.word('PROT') }),
    tell: (_, values) => `${placeIn(values)} is ${values.word('PROT')} now`,
    errors: { ENOMEM: 'Some page is not mapped; those before it were changed.' },
  },
  {
    ...base,
    name: 'madvise',
    summary: 'drop the contents of pages, or push them out to swap',
    arguments: [
      ...RANGE,
      {
        name: 'ADVICE',
        kind: 'choice',
        choices: ['DONTNEED', 'FREE', 'PAGEOUT'],
        presence: { default: 'DONTNEED' },
        what: 'as madvise(2) calls it',
      },
    ],
    examples: ['madvise a 1', 'madvise 0x10000 4 PAGEOUT'],
    params: (values) => ({ verb: 'madvise', ...region(values), advice: values.word('ADVICE') }),
    tell: (_, values) => `MADV_${values.word('ADVICE')} ${placeIn(values)}`,
    errors: { ENOMEM: 'Some page is not mapped; those that are were handled.' },
  },
  {
    ...base,
    name: 'mremap',
    summary: 'move pages to another address',
    arguments: [...RANGE, { ...NEW_PAGE, name: 'TO', what: 'where the first page is to be' }],
    examples: ['mremap a 4 0x40000', 'mremap a 1'],
    params: (values) => ({ verb: 'mremap', ...region(values), to: values.address('TO') }),
    tell: (_, values) => `moved ${placeIn(values)} to ${values.address('TO')}`,
  },
];
