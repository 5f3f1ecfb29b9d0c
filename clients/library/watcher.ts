/**
 * An observer that comes back. The server keeps no session of one that is away, so each time is a fresh one that
 * begins with a snapshot.
 */
import type { ClosedWhy, OnLoss } from '../sdk/connection-state.ts';
import { ObserverClient, type ObserverClientOptions } from '../sdk/observer-client.ts';

export class Watcher {
  /** Resolved when it is over for good: closed here, refused for good, or without an answer for comeBackMs. */
  readonly closed: Promise<ClosedWhy>;
  readonly #options: ObserverClientOptions;
  #client: ObserverClient;

  constructor(options: ObserverClientOptions) {
    this.#options = options;
    this.#client = new ObserverClient(options);
    this.closed = this.#watch(options.onLoss ?? 'resume');
  }

  /** Resolved when the server has accepted it for the first time. Rejected with SessionClosed if it does not. */
  get greeted(): Promise<unknown> {
    return this.#client.connection.greeted;
  }

  close(): void {
    this.#client.close();
  }

  async #watch(onLoss: OnLoss): Promise<ClosedWhy> {
    const { comeBackMs = Number.POSITIVE_INFINITY } = this.#options;
    for (;;) {
      const closed = await this.#client.connection.closed;
      const { session } = this.#client.connection;
      if (closed.why !== 'lost' || session === 'none' || onLoss === 'give-up') return closed;
      this.#client = new ObserverClient({ ...this.#options, connectMs: comeBackMs });
    }
  }
}
