/** What the two views look at: a lab as it runs, or a run that is over. */
import type { EventHistory } from '../model/event-history.ts';

export interface ViewSource {
  /** Another one after a new beginning. */
  readonly history: () => EventHistory;
}

/** The event that is looked at; 'live' is the newest, whatever comes. */
export type Selected = number | 'live';
