import type { AskedVerb } from '../verb.ts';
import { RANGE } from './arguments.ts';
import { placeIn, valueRows } from './tell.ts';

const base = { group: 'exclusive access', roles: ['device'], does: 'ask' } as const;

export const DEVICE_EXCLUSIVE_VERBS: readonly AskedVerb[] = [
  {
    ...base,
    name: 'exclusive',
    summary: 'call make_device_exclusive(): nobody else reaches the pages until they touch them',
    arguments: RANGE,
    examples: ['exclusive a'],
    params: (values) => ({ verb: 'exclusive', range: values.range('ADDRESS', 'PAGES') }),
    tell: valueRows,
    errors: { EBUSY: 'Some page could not be made exclusive: it is not there, or was touched.' },
  },
  {
    ...base,
    name: 'check-exclusive',
    summary: 'has exclusive access ended? OK if no page is exclusive any more, EPERM otherwise',
    arguments: RANGE,
    examples: ['check-exclusive a'],
    params: (values) => ({ verb: 'check-exclusive', range: values.range('ADDRESS', 'PAGES') }),
    tell: (_, values) => `${placeIn(values)}: not exclusive to this device (any more)`,
    errors: { EPERM: 'Some page is still exclusive to this device: nobody has touched it since.' },
  },
];
