import type { Unit } from './unit.ts';

/** What a worker takes at once: half a second of work, or one unit. */
export interface Batch {
  readonly campaign: string;
  readonly units: readonly Unit[];
}
