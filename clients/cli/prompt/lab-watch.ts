/** Looks on at the lab of a prompt: an observer of its own beside the actor's session. */
import type { Event } from '../../../server/abi/event.ts';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import { connect } from '../../sdk/connect.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import type { ObserverClient } from '../../sdk/observer-client.ts';
import { PromptLabView } from './lab-view.ts';

/** Milliseconds between two tries to look on again. */
const AGAIN_MS = 500;
/** Milliseconds after which what is shown may be older than the last answer. */
const CATCH_UP_MS = 2_000;

export interface WatchTarget {
  readonly url: string;
  readonly lab: string;
  /** Of the observer. */
  readonly name: string;
}

export interface WatchListener {
  /** What happened, in order. The view has it already. */
  readonly events: (events: readonly Event[]) => void;
  /** Another machine runs, or this observer fell behind. Not called for the first snapshot. */
  readonly restarted: (snapshot: LabSnapshot, why: 'another-machine' | 'fell-behind') => void;
}

export class LabWatch {
  readonly view = new PromptLabView();
  readonly #target: WatchTarget;
  readonly #listener: WatchListener;
  #observer: ObserverClient | 'none' = 'none';
  #state: 'open' | 'closed' = 'open';
  #snapshots = 0;
  #waiting: { readonly n: number; readonly resolve: () => void }[] = [];

  constructor(target: WatchTarget, listener: WatchListener) {
    this.#target = target;
    this.#listener = listener;
  }

  /** Begins to look on. Rejects with SessionClosed if there is no server, or it refuses. */
  async start(): Promise<void> {
    const observer = await connect({
      role: 'observer',
      ...this.#target,
      snapshot: (snapshot) => this.#restart(snapshot),
      events: (events) => {
        this.view.apply(events);
        this.#listener.events(events);
        this.#look();
      },
    });
    if (this.#state === 'closed') {
      observer.close();
      return;
    }
    this.#observer = observer;
    observer.connection.closed.then(
      () => this.#again(),
      () => undefined,
    );
  }

  /** Resolves when the view has everything that had happened when this was called. */
  async caughtUp(): Promise<void> {
    const n = await this.#eventsNow();
    if (n === 'unknown' || this.view.n >= n) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, CATCH_UP_MS);
      this.#waiting.push({
        n,
        resolve: () => {
          clearTimeout(patience);
          resolve();
        },
      });
    });
  }

  close(): void {
    this.#state = 'closed';
    if (this.#observer !== 'none') this.#observer.close();
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting = [];
  }

  /** A second observer learns at once how far the log is. */
  async #eventsNow(): Promise<number | 'unknown'> {
    let n: number | 'unknown' = 'unknown';
    try {
      const second = await connect({
        role: 'observer',
        ...this.#target,
        snapshot: (snapshot) => {
          n = snapshot.n;
        },
        events: () => undefined,
      });
      second.close();
    } catch (error) {
      if (!(error instanceof SessionClosed)) throw error;
    }
    return n;
  }

  #restart(snapshot: LabSnapshot): void {
    const why = snapshot.n < this.view.n ? 'another-machine' : 'fell-behind';
    this.view.restart(snapshot);
    this.#snapshots += 1;
    if (this.#snapshots > 1) this.#listener.restarted(snapshot, why);
    this.#look();
  }

  #look(): void {
    const { n } = this.view;
    for (const waiting of this.#waiting) if (waiting.n <= n) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.n > n);
  }

  /** An observer that lost its connection begins anew. */
  #again(): void {
    if (this.#state === 'closed') return;
    const timer = setTimeout(() => {
      if (this.#state === 'open') this.start().catch(() => this.#again());
    }, AGAIN_MS);
    timer.unref();
  }
}
