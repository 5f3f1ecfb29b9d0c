import type { PteView } from '../../abi/event.ts';

/** One step of a story. */
export interface StoryRow {
  /** The number of the event that the row began with. */
  readonly n: number;
  /** The number of the last event that it shows. */
  last: number;
  readonly actor: string;
  text: string;
  /** What is wrong with this step. */
  bug: string | 'none';
  /** Whether it was decided here that the run fails. */
  turn: 'no return' | 'none';
  readonly kind: 'step' | 'access' | 'invalidate' | 'map';
  /** For a changed entry: what it was and what it became. */
  readonly pte: { readonly from: PteView; readonly to: PteView } | 'unchanged';
  readonly pteBefore: PteView;
  /** The address space that the entry is in. */
  readonly mm: number;
  /** The migrate_to_ram that the step is a part of; 0 for none. */
  readonly service: number;
  /** 'minor': may go if no other actor came in between. */
  readonly weight: 'main' | 'minor';
}
