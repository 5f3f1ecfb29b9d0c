import type { OwnVerb } from '../verb.ts';

const base = { group: 'the prompt', roles: ['device', 'cpu'] } as const;

export const PROMPT_VERBS: readonly OwnVerb[] = [
  {
    ...base,
    roles: ['cpu'],
    does: 'use',
    name: 'use',
    summary: 'speak for another thread of this process: a forked child, or the parent',
    arguments: [{ name: 'ACTOR', kind: 'name', presence: 'required', what: 'its name in the lab' }],
    examples: ['use child0'],
  },
  {
    ...base,
    does: 'help',
    name: 'help',
    summary: 'the verbs, or one of them in full',
    arguments: [{ name: 'VERB', kind: 'verb', presence: { default: 'none' }, what: 'a verb' }],
    examples: ['help', 'help read'],
  },
  {
    ...base,
    does: 'quit',
    name: 'quit',
    summary: 'leave the lab (so do Ctrl-D and Ctrl-C)',
    arguments: [],
    examples: ['quit'],
  },
];
