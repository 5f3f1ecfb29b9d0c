import type { AskedVerb } from '../verb.ts';
import { RANGE } from './arguments.ts';
import { countIn, plural } from './tell.ts';

const base = { group: 'process and pins', roles: ['cpu'], does: 'ask' } as const;

export const CPU_PROCESS_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'fork',
    summary: 'fork: a child with a copy of the address space joins as an actor of this prompt',
    arguments: [{ name: 'CHILD', kind: 'name', presence: 'required', what: 'its name in the lab' }],
    examples: ['fork child0', 'use child0'],
    more: 'use CHILD makes the prompt speak for the child. Both share frames until one of them writes.',
    params: (values) => ({ verb: 'fork', child: values.word('CHILD') }),
    tell: (_, values) =>
      `forked ${values.word('CHILD')}; use ${values.word('CHILD')} speaks for it`,
    errors: { EEXIST: 'The lab has an actor of that name.' },
  },
  {
    ...base,
    name: 'exit',
    summary: 'exit: the address space is torn down, devices are told to release it',
    arguments: [],
    examples: ['exit'],
    more: 'Only a forked child can exit, for all clients share the first process; to leave the lab say quit.',
    params: () => ({ verb: 'exit' }),
    tell: () => 'exited',
    errors: {
      EPERM: 'Only a forked child can exit. quit leaves the lab.',
      EINVAL: 'This process has exited already. quit leaves the lab.',
    },
  },
  {
    ...base,
    name: 'pin',
    summary: 'pin pages, as get_user_pages() does: they must not move until unpin',
    arguments: [
      ...RANGE,
      {
        name: 'MODE',
        kind: 'choice',
        choices: ['longterm', 'get'],
        presence: { default: 'longterm' },
        what: 'longterm: FOLL_LONGTERM; get: a short reference',
      },
      { name: 'ID', kind: 'id', presence: { default: '0' }, what: 'a number for unpin' },
    ],
    examples: ['pin a', 'pin a 2 get 7'],
    params: (values) => ({
      verb: 'pin',
      address: values.address('ADDRESS'),
      pages: values.number('PAGES'),
      id: values.number('ID'),
      mode: values.word('MODE'),
    }),
    tell: (result, values) =>
      `pinned ${plural(countIn(result, 'npages'), 'page')}; unpin ${values.number('ID')} lets go`,
  },
  {
    ...base,
    name: 'unpin',
    summary: 'let go of what a pin has pinned',
    arguments: [
      { name: 'ID', kind: 'id', presence: { default: '0' }, what: 'the number of the pin' },
    ],
    examples: ['unpin', 'unpin 7'],
    params: (values) => ({ verb: 'unpin', id: values.number('ID') }),
    tell: (_, values) => `pin ${values.number('ID')} is gone`,
  },
];
