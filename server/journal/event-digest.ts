import { createHash } from 'node:crypto';
import type { Event } from '../abi/event.ts';

/** Hexadecimal digits of a digest: 128 bits. */
const DIGITS = 32;

/** A running name for an event log: two logs with the same digest are the same log. */
export class EventDigest {
  #events = 0;
  #digest = '0'.repeat(DIGITS);
  #pending = '';

  /** Goes on behind a log of which only this is known. */
  static behind(events: number, digest: string): EventDigest {
    const made = new EventDigest();
    made.#events = events;
    made.#digest = digest;
    return made;
  }

  get events(): number {
    return this.#events;
  }

  add(event: Event): void {
    this.#events += 1;
    this.#pending += `${JSON.stringify(event)}\n`;
  }

  /** The digest over all events so far. */
  value(): string {
    if (this.#pending !== '') {
      const hash = createHash('sha256').update(this.#digest).update(this.#pending);
      this.#digest = hash.digest('hex').slice(0, DIGITS);
      this.#pending = '';
    }
    return this.#digest;
  }
}
