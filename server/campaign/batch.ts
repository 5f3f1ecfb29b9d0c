import type { Unit } from './unit.ts';

/** What a worker takes at once: about a second of work. */
export interface Batch {
  readonly campaign: string;
  readonly units: readonly Unit[];
}
