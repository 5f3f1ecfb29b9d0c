import type { AskedVerb } from '../verb.ts';
import { RANGE } from './arguments.ts';
import { countIn, placeIn, plural } from './tell.ts';

const base = { group: 'loops', roles: ['device'], does: 'ask' } as const;

export const DEVICE_LOOP_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'read-loop',
    summary: 'read the pages again and again, beside everything else, until stop',
    arguments: [
      ...RANGE,
      {
        name: 'THREADS',
        kind: 'count',
        presence: { default: '1' },
        what: 'how many tasks read, 16 at most',
      },
    ],
    examples: ['read-loop a 1 4'],
    params: (values) => ({
      verb: 'read-loop',
      range: values.range('ADDRESS', 'PAGES'),
      threads: values.number('THREADS'),
    }),
    tell: (_, values) => `reads ${placeIn(values)} until stop ${placeIn(values)}`,
  },
  {
    ...base,
    name: 'stop',
    summary: 'end the loop that reads these pages, and say how often it read',
    arguments: RANGE,
    examples: ['stop a'],
    params: (values) => ({ verb: 'stop', range: values.range('ADDRESS', 'PAGES') }),
    tell: (result) =>
      `${plural(countIn(result, 'reads'), 'read')}, ${plural(countIn(result, 'errors'), 'error')}`,
  },
];
