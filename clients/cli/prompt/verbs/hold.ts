import type { OwnVerb } from '../verb.ts';

const base = { group: 'the order of things', roles: ['device', 'cpu'] } as const;

const hold = {
  ...base,
  does: 'hold',
  name: 'hold',
  summary: 'stand still behind the next call of a kernel function, until go',
  arguments: [
    {
      name: 'FUNCTION',
      kind: 'function',
      presence: 'required',
      what: 'in the kernel’s spelling',
    },
  ],
  more: 'The prompt stays free while a verb stands still: look around, let others act, then say go.',
} as const;

export const HOLD_VERBS: readonly OwnVerb[] = [
  { ...hold, roles: ['device'], examples: ['hold migrate_vma_setup', 'migrate-to-dev a', 'go'] },
  { ...hold, roles: ['cpu'], examples: ['hold store', 'store a 42', 'go'] },
  {
    ...base,
    does: 'go',
    name: 'go',
    summary: 'go on from every hold; holds that were not reached are taken back',
    arguments: [],
    examples: ['go'],
  },
  {
    ...base,
    does: 'wait',
    name: 'wait',
    summary: 'wait until every verb of mine has ended',
    arguments: [],
    examples: ['wait'],
    more: 'A verb that has to wait does not block the prompt; a line that ends in & does not even try.',
  },
  {
    ...base,
    does: 'undo',
    name: 'undo',
    summary: 'take the lab back: the last thing that anybody did in it, or all since an event',
    arguments: [
      { name: 'EVENT', kind: 'id', presence: { default: 'none' }, what: 'the first that goes' },
    ],
    examples: ['undo', 'undo 37'],
    more: 'Everybody in the lab is what they were then. A lab that its presenter has locked goes back for no one else.',
  },
];
