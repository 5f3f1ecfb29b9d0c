/** Which cells have just changed, for as long as that is news. */
import type { EventHistory } from '../model/event-history.ts';
import type { Column } from './columns.ts';

/** Milliseconds that a change is shown. */
export const FRESH_MS = 900;
/** Changes that are looked at in one frame: of more, the newest. */
const CHANGES_SEEN_MAX = 2_048;

export class FreshCells {
  readonly #changedAt = new Map<string, number>();
  #history: EventHistory | 'none' = 'none';
  #seen = 0;

  /** Looks at what has come since the last time. `now` in milliseconds. */
  look(history: EventHistory, now: number): void {
    if (history !== this.#history) {
      this.#history = history;
      this.#seen = history.last;
      this.#changedAt.clear();
      return;
    }
    for (const [key, at] of this.#changedAt) {
      if (now - at > FRESH_MS) this.#changedAt.delete(key);
    }
    const from = Math.max(this.#seen + 1, history.last - CHANGES_SEEN_MAX);
    for (const event of history.eventsFrom(from, history.last)) {
      if (event.kind === 'pte') this.#changedAt.set(`mm${event.mm} ${event.page}`, now);
      else if (event.kind === 'mirror') this.#changedAt.set(`${event.device}/${event.page}`, now);
    }
    this.#seen = history.last;
  }

  get any(): boolean {
    return this.#changedAt.size > 0;
  }

  /** From 0 (long ago) to 1 (now). Where nothing may move it is 1 and then 0. */
  freshness(column: Column, page: number, now: number, motion: 'full' | 'reduced'): number {
    const key = column.side === 'cpu' ? `mm${column.mm} ${page}` : `${column.name}/${page}`;
    const at = this.#changedAt.get(key);
    if (at === undefined) return 0;
    return motion === 'reduced' ? 0.75 : Math.max(0, 1 - (now - at) / FRESH_MS);
  }
}
