/** What an event looks like on the timeline, and what a filter can choose. */
import type { Event } from '../../../server/abi/event.ts';

export const MARKS = [
  'call',
  'callback',
  'entry',
  'access',
  'fault',
  'bracket',
  'lock',
  'frame',
  'life',
  'violation',
] as const;

export type Mark = (typeof MARKS)[number];

const MARK_OF: { readonly [Kind in Event['kind']]: Mark } = {
  call: 'call',
  return: 'call',
  callback: 'callback',
  'callback-return': 'callback',
  pte: 'entry',
  mirror: 'entry',
  'device-access': 'access',
  'cpu-access': 'access',
  'pin-access': 'access',
  signal: 'fault',
  fault: 'fault',
  'tlb-flush': 'bracket',
  invalidate_range_start: 'bracket',
  invalidate_range_end: 'bracket',
  'migration-end': 'call',
  lock: 'lock',
  unlock: 'lock',
  'frame-alloc': 'frame',
  'frame-free': 'frame',
  vma: 'life',
  attach: 'life',
  detach: 'life',
  fenced: 'life',
  note: 'life',
  violation: 'violation',
};

const NUMBER_OF = Object.fromEntries(MARKS.map((mark, at) => [mark, at])) as {
  readonly [Name in Mark]: number;
};

export function markOf(event: Event): Mark {
  return MARK_OF[event.kind];
}

/** For typed arrays: the place of the mark in MARKS. */
export function markNumber(event: Event): number {
  return NUMBER_OF[MARK_OF[event.kind]];
}

/** Whose lane an event stands in: a callback's answer and an access stand with the device. */
export function laneActor(event: Event): string {
  switch (event.kind) {
    case 'callback-return':
    case 'mirror':
    case 'device-access':
    case 'fenced':
      return event.device;
    default:
      return event.actor;
  }
}
