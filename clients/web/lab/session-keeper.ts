/**
 * Keeps a client of the SDK in a lab for as long as the page is open: begins again after a server's restart and
 * after a laptop's sleep, and says so. The rules are in reconnecting.ts; here are the clock and the browser.
 */
import type { Connection } from '../../sdk/connection.ts';
import { closedSentence } from '../../sdk/connection-state.ts';
import { BEGINNING, nextSession, type SessionEvent, type SessionStatus } from './reconnecting.ts';

/** A client as the keeper sees it. */
export interface KeptClient {
  readonly connection: Connection;
  close(): void;
}

/** Milliseconds between two looks at whether the connection is there. */
const LOOK_MS = 200;

export class SessionKeeper<Client extends KeptClient> {
  readonly #begin: () => Client;
  readonly #changed: (status: SessionStatus) => void;
  #status: SessionStatus = BEGINNING;
  #client: Client | 'none' = 'none';
  #timer: ReturnType<typeof setTimeout> | 'none' = 'none';
  #look: ReturnType<typeof setInterval> | 'none' = 'none';
  #life: 'open' | 'over' = 'open';

  /** `begin` makes a client that connects at once. */
  constructor(begin: () => Client, changed: (status: SessionStatus) => void) {
    this.#begin = begin;
    this.#changed = changed;
  }

  get status(): SessionStatus {
    return this.#status;
  }

  get client(): Client | 'none' {
    return this.#client;
  }

  start(): void {
    addEventListener('online', this.#hurry);
    addEventListener('pagehide', this.#hide);
    addEventListener('pageshow', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#look = setInterval(() => this.#watch(), LOOK_MS);
    this.#connect();
  }

  stop(): void {
    this.#life = 'over';
    removeEventListener('online', this.#hurry);
    removeEventListener('pagehide', this.#hide);
    removeEventListener('pageshow', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    if (this.#look !== 'none') clearInterval(this.#look);
    if (this.#client !== 'none') this.#client.close();
  }

  /** The page goes: its name in the lab is free at once. */
  readonly #hide = (): void => {
    if (this.#client !== 'none') this.#client.close();
  };

  /** Whoever looks at the page again does not want to wait out a pause. */
  readonly #hurry = (): void => {
    if (document.visibilityState !== 'visible' || this.#status.state !== 'waiting') return;
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    this.#move({ event: 'retry' });
    this.#connect();
  };

  #connect(): void {
    const client = this.#begin();
    this.#client = client;
    client.connection.greeted.then(
      ({ session, state }) => {
        if (client !== this.#client) return;
        const fenced = state === 'fenced' ? 'fenced' : 'no';
        this.#move({ event: 'greeted', session, fenced });
      },
      () => undefined,
    );
    client.connection.closed.then(
      (closed) => {
        if (client !== this.#client || this.#life === 'over') return;
        this.#move({ event: 'closed', closed, sentence: closedSentence(closed) });
        if (this.#status.state !== 'waiting') return;
        this.#timer = setTimeout(() => {
          this.#move({ event: 'retry' });
          this.#connect();
        }, this.#status.waitMs);
      },
      () => undefined,
    );
  }

  #watch(): void {
    if (this.#client === 'none') return;
    const { state } = this.#client.connection;
    if (this.#status.state === 'live' && state !== 'attached' && state !== 'closed') {
      this.#move({ event: 'lost' });
    } else if (this.#status.state === 'away' && state === 'attached') {
      this.#move({ event: 'resumed' });
    }
  }

  #move(event: SessionEvent): void {
    const before = this.#status;
    this.#status = nextSession(before, event);
    if (this.#status !== before) this.#changed(this.#status);
  }
}
