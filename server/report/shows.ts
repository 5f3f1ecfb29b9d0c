import type { Event } from '../abi/event.ts';

const SHOWS: ReadonlySet<Event['kind']> = new Set([
  'pte',
  'mirror',
  'invalidate_range_start',
  'invalidate_range_end',
  'device-access',
  'cpu-access',
  'pin-access',
  'signal',
  'tlb-flush',
  'frame-free',
  'migration-end',
]);

/** Whether an event changes what a picture of the memory shows. */
export function shows({ kind }: Event): boolean {
  return SHOWS.has(kind);
}
