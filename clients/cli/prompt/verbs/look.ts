import type { OwnVerb } from '../verb.ts';

const base = { group: 'looking around', roles: ['device', 'cpu'], arguments: [] } as const;

export const LOOK_VERBS: readonly OwnVerb[] = [
  {
    ...base,
    does: 'page-table',
    name: 'pt',
    summary: 'my page table: a device’s own, or the CPU’s as the kernel has it',
    examples: ['pt'],
  },
  {
    ...base,
    does: 'maps',
    name: 'maps',
    summary: 'what is mapped, and the letters that stand for it',
    examples: ['maps'],
  },
  {
    ...base,
    does: 'log',
    name: 'log',
    summary: 'what happened to me: the last events that concern me',
    arguments: [
      { name: 'EVENTS', kind: 'count', presence: { default: '20' }, what: 'how many, at most' },
    ],
    examples: ['log', 'log 100'],
  },
  {
    ...base,
    does: 'who',
    name: 'who',
    summary: 'who is in the lab, and with which kernel',
    examples: ['who'],
  },
  {
    ...base,
    does: 'ping',
    name: 'ping',
    summary: 'is the server there? The time to it and back, and how long my answers are waited for',
    more: 'A server that has been silent for a heartbeat is asked without that.',
    examples: ['ping'],
  },
];
