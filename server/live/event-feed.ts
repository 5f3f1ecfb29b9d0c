/**
 * The event log on its way to observers: in batches, as it happens. An observer that does not keep up misses
 * batches and gets a snapshot instead once it has read what it was sent, so its memory here is bounded.
 */

import type { Event } from '../abi/event.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import { EVENT_BATCH_MAX, OBSERVER_BACKLOG_BYTES_MAX } from '../protocol/limits.ts';
import { guarded } from './guarded.ts';

export interface Observer {
  /** Bytes that it has yet to read. */
  backlog(): number;
  /** `params` is JSON text, made once for all observers. */
  sendText(method: 'events' | 'snapshot' | 'control', params: string): void;
  /** There is nothing more to see. */
  ended(reason: CloseReason): void;
}

export class EventFeed {
  readonly #snapshot: () => LabSnapshot;
  readonly #onThrow: (thrown: unknown) => void;
  /** True: it missed something, and needs a snapshot. */
  readonly #observers = new Map<Observer, 'current' | 'behind'>();
  #pending: Event[] = [];
  #scheduled = false;
  #n = 0;

  /**
   * `snapshot` is called between two accepts only, after all pending events were sent. `onThrow` gets what a turn of
   * the feed's own has thrown.
   */
  constructor(snapshot: () => LabSnapshot, onThrow: (thrown: unknown) => void) {
    this.#snapshot = snapshot;
    this.#onThrow = onThrow;
  }

  /** The number of the last event. */
  get n(): number {
    return this.#n;
  }

  /** The events up to `n` were an earlier server's. */
  goOnBehind(n: number): void {
    this.#n = n;
  }

  get observers(): number {
    return this.#observers.size;
  }

  /** Called by the machine for each event. */
  push(event: Event): void {
    this.#n = event.n;
    if (this.#observers.size === 0) return;
    this.#pending.push(event);
    if (this.#pending.length >= EVENT_BATCH_MAX) this.#sendPending();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => guarded(() => this.flush(), this.#onThrow));
    }
  }

  /** Adds an observer. Returns the state that its first events follow on. */
  add(observer: Observer): LabSnapshot {
    this.#sendPending();
    this.#observers.set(observer, 'current');
    return this.#snapshot();
  }

  remove(observer: Observer): void {
    this.#observers.delete(observer);
  }

  /** Sends what is pending, and a snapshot to those that fell behind and have caught up with reading. */
  flush(): void {
    this.#scheduled = false;
    this.#sendPending();
    let text = '';
    for (const [observer, state] of this.#observers) {
      if (state === 'current' || observer.backlog() > 0) continue;
      if (text === '') text = JSON.stringify(this.#snapshot());
      this.#observers.set(observer, 'current');
      observer.sendText('snapshot', text);
    }
  }

  /** Sends what is not an event. An observer that is behind has it in its snapshot. */
  sendControl(method: 'control', params: string): void {
    this.#sendPending();
    for (const [observer, state] of this.#observers) {
      if (state === 'behind') continue;
      if (fits(observer, params.length)) observer.sendText(method, params);
      else this.#observers.set(observer, 'behind');
    }
  }

  close(reason: CloseReason): void {
    this.#sendPending();
    for (const observer of [...this.#observers.keys()]) observer.ended(reason);
    this.#observers.clear();
  }

  /** A new machine counts its events from 1 again: everybody starts from a snapshot. */
  restart(): void {
    this.#sendPending();
    this.#n = 0;
    for (const observer of this.#observers.keys()) this.#observers.set(observer, 'behind');
  }

  #sendPending(): void {
    if (this.#pending.length === 0) return;
    const text = `{"events":${JSON.stringify(this.#pending)}}`;
    this.#pending = [];
    for (const [observer, state] of this.#observers) {
      if (state === 'behind') continue;
      const { length } = text;
      if (fits(observer, length)) observer.sendText('events', text);
      else this.#observers.set(observer, 'behind');
    }
  }
}

/** One that waits for nothing takes a batch of any length, as it takes a snapshot. */
function fits(observer: Observer, length: number): boolean {
  const waiting = observer.backlog();
  return waiting === 0 || waiting + length <= OBSERVER_BACKLOG_BYTES_MAX;
}
