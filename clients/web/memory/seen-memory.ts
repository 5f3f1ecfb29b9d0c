/** What the memory view has seen last of the pages there are and of what is stale: looked at now and then. */
import { staleCells } from '../model/coherence.ts';
import type { EventHistory } from '../model/event-history.ts';
import type { LabModel } from '../model/lab-model.ts';
import { type Column, columnsOf } from './columns.ts';
import { type RowLayout, rowLayout } from './row-layout.ts';

/** Milliseconds between two looks at which pages there are and what is stale: there may be many. */
const LOOK_MS = 200;
/** A look that takes long is followed by a pause of so many times its length. */
const PAUSE_FACTOR = 30;

export interface Seen {
  readonly history: EventHistory;
  readonly model: LabModel;
  readonly version: number;
  readonly layout: RowLayout;
  readonly columns: readonly Column[];
}

export class SeenMemory {
  #seen: Seen | 'none' = 'none';
  /** When pages and stale cells are looked at again, if something has changed. */
  #nextLook = 0;
  #stale = 0;

  /** `onStale` is called when there are more or fewer stale cells than at the look before. */
  look(
    history: EventHistory,
    model: LabModel,
    now: number,
    onStale: (count: number) => void = () => undefined,
  ): Seen {
    const before = this.#seen;
    if (before !== 'none' && !this.#isOld(before, history, model, now)) {
      this.#seen = { ...before, model };
      return this.#seen;
    }
    const version = history.version + model.n;
    this.#seen = { history, model, version, layout: rowLayout(model), columns: columnsOf(model) };
    const begun = performance.now();
    const stale = staleCells(model).length;
    this.#nextLook = now + Math.max(LOOK_MS, (performance.now() - begun) * PAUSE_FACTOR);
    if (stale !== this.#stale) {
      this.#stale = stale;
      onStale(stale);
    }
    return this.#seen;
  }

  #isOld(before: Seen, history: EventHistory, model: LabModel, now: number): boolean {
    return (
      before.history !== history ||
      before.model.vmas !== model.vmas ||
      before.columns.length === 0 ||
      (before.version !== history.version + model.n && now > this.#nextLook)
    );
  }
}
