/**
 * Keeps a client of the SDK in a lab for as long as the page is open: begins again after a server's restart and
 * after a laptop's sleep, and says so. The rules are in reconnecting.ts; here are the clock and the browser.
 */
import type { HelloResult } from '../../../server/protocol/hello.ts';
import {
  type ClosedWhy,
  type ConnectionState,
  closedSentence,
} from '../../sdk/connection-state.ts';
import { NOT_IN_YET, nextStatus, type SessionStatus, type StatusEvent } from './reconnecting.ts';

/** A client as the keeper sees it. */
export interface KeptClient {
  /** Resolved with the server's hello. */
  readonly greeted: Promise<unknown>;
  readonly closed: Promise<ClosedWhy>;
  close(): void;
  /** The page goes: leaves the session to the page that comes, or ends it. */
  hide?(): void;
}

/** What makes a client that connects at once. `moved` is to be told of each new state of its connection. */
export type NewClient<Client> = (moved: (state: ConnectionState['state']) => void) => Client;

export class SessionKeeper<Client extends KeptClient> {
  readonly #begin: NewClient<Client>;
  readonly #changed: (status: SessionStatus) => void;
  #status: SessionStatus = NOT_IN_YET;
  #client: Client | 'none' = 'none';
  #timer: ReturnType<typeof setTimeout> | 'none' = 'none';
  #life: 'open' | 'over' = 'open';

  constructor(begin: NewClient<Client>, changed: (status: SessionStatus) => void) {
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
    addEventListener('pageshow', this.#show);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#connect();
  }

  stop(): void {
    this.#life = 'over';
    removeEventListener('online', this.#hurry);
    removeEventListener('pagehide', this.#hide);
    removeEventListener('pageshow', this.#show);
    document.removeEventListener('visibilitychange', this.#hurry);
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    if (this.#client !== 'none') this.#client.close();
  }

  /** What is not left to the page that comes frees its name at once. */
  readonly #hide = (): void => {
    const client = this.#client;
    if (client === 'none') return;
    this.#client = 'none';
    if (client.hide === undefined) client.close();
    else client.hide();
  };

  /** A page that the browser had kept comes back as it was. */
  readonly #show = ({ persisted }: PageTransitionEvent): void => {
    if (persisted && this.#client === 'none' && this.#life === 'open') this.#connect();
  };

  /** A person who looks at the page again does not want to wait out a pause. */
  readonly #hurry = (): void => {
    if (document.visibilityState !== 'visible' || this.#status.state !== 'waiting') return;
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    this.#move({ event: 'retry' });
    this.#connect();
  };

  #connect(): void {
    const client = this.#begin((state) => {
      if (client === this.#client) this.#moved(state);
    });
    this.#client = client;
    client.greeted.then(
      (hello) => {
        if (client !== this.#client) return;
        const { session, state } = hello as Partial<HelloResult>;
        this.#move({
          event: 'greeted',
          session: session ?? 'fresh',
          fenced: state === 'fenced',
        });
      },
      () => undefined,
    );
    client.closed.then(
      (closed) => {
        if (client === this.#client && this.#life === 'open') this.#closed(closed);
      },
      () => undefined,
    );
  }

  #closed(closed: ClosedWhy): void {
    this.#move({ event: 'closed', closed, sentence: closedSentence(closed) });
    if (this.#status.state !== 'waiting') return;
    this.#timer = setTimeout(() => {
      this.#move({ event: 'retry' });
      this.#connect();
    }, this.#status.waitMs);
  }

  #moved(state: ConnectionState['state']): void {
    if (state === 'attached') this.#move({ event: 'resumed' });
    else if (state === 'away') this.#move({ event: 'lost' });
  }

  #move(event: StatusEvent): void {
    const before = this.#status;
    this.#status = nextStatus(before, event);
    if (this.#status !== before) this.#changed(this.#status);
  }
}
