/**
 * Several searches of the same interleavings, each complete by itself, that tell each other what they know: what was
 * found of a state does not depend on the way that led to it, nor on who went it. Whichever comes to its end first has
 * covered everything.
 */
import type { Known, KnownStates } from './known-states.ts';
import type { TouchNumbers } from './subtree-touches.ts';
import type { ObjectOwners } from './symmetry.ts';
import type { TaskPlaces } from './task-places.ts';

/** What the numbers of one search mean. */
export interface Meanings {
  readonly numbers: TouchNumbers;
  readonly places: TaskPlaces;
  readonly owners: ObjectOwners;
}

/** What one search sees of the others. */
export interface OtherSearches {
  /** Called before anything else. */
  join(meanings: Meanings): void;
  /** Adds what the others have found to `known`. False if there was nothing new. */
  hear(known: KnownStates): boolean;
  /** This search has found it. */
  tell(key: number, known: Known): void;
  /** Whether another search is in the midst of the state, not as a guest: 'any', or one of 'those before' this one. */
  isOpen(key: number, whose: 'any' | 'those before'): boolean;
  /** So many decisions are on the way of this search, and where the last one stands. */
  stand(count: number, where: number | 'nowhere' | 'as before'): void;
}
