/** An observer: receives the event log of a lab as it happens, with a snapshot first. */
import type { Event } from '../../server/abi/event.ts';
import type { LabControl } from '../../server/protocol/lab-control.ts';
import type { LabSnapshot } from '../../server/protocol/lab-snapshot.ts';
import {
  SERVER_NOTIFICATIONS,
  type ServerNotificationParams,
} from '../../server/protocol/server-notifications.ts';
import { CallRefused } from './call-refusal.ts';
import { Connection, type ConnectionOptions, type Notification } from './connection.ts';
import { LazyChecks } from './lazy-checks.ts';

export interface ObserverClientOptions extends Omit<ConnectionOptions, 'role' | 'mm'> {
  /** The state to start from: once at the beginning, and again if this observer fell behind. */
  readonly snapshot: (snapshot: LabSnapshot) => void;
  /** What happened since, in order and without gaps. */
  readonly events: (events: readonly Event[]) => void;
  /** How the lab is driven: paused, locked, its tasks. At the beginning, and when it changes. */
  readonly control?: (control: LabControl) => void;
  readonly trouble?: (error: unknown) => void;
  /**
   * 'events' takes events and later snapshots as they come, without a look at every field: for a page that may not
   * compile its checks (a policy without unsafe-eval) and has its code from the same server. 'nothing' unless said.
   */
  readonly believes?: 'nothing' | 'events';
}

const NOTIFICATION_CHECKS = new LazyChecks('params', SERVER_NOTIFICATIONS);

export class ObserverClient {
  readonly connection: Connection;
  readonly #options: ObserverClientOptions;
  #serverEnds: 'not' | 'for-now' | 'for-good' = 'not';

  constructor(options: ObserverClientOptions) {
    this.#options = options;
    this.connection = new Connection(
      // The server keeps no session of an observer that is away: one that comes back starts from a snapshot anyway.
      { onLoss: 'give-up', ...options, role: 'observer' },
      {
        asked: ({ id, method }) =>
          this.connection.answerError(id, 'EINVAL', `${method}: not a question to an observer`),
        notified: (notification) => this.#notified(notification),
        settled: () => undefined,
        complained: (refusal) => this.#options.trouble?.(new CallRefused('frame', refusal)),
        greeted: ({ snapshot }) => {
          if (snapshot !== undefined) this.#begin(snapshot);
        },
      },
    );
  }

  /** What the server has said of its end. */
  get serverEnds(): 'not' | 'for-now' | 'for-good' {
    return this.#serverEnds;
  }

  close(): void {
    this.connection.close();
  }

  #notified({ method, params }: Notification): void {
    if (method === 'events' && this.#options.believes === 'events') {
      if (hasEvents(params)) this.#options.events(params.events);
      return;
    }
    if (method === 'snapshot' && this.#options.believes === 'events') {
      this.#begin(params as ServerNotificationParams['snapshot']);
      return;
    }
    if (!NOTIFICATION_CHECKS.accepts(method, params)) return;
    if (method === 'events') {
      this.#options.events((params as ServerNotificationParams['events']).events);
    } else if (method === 'snapshot') {
      this.#begin(params as ServerNotificationParams['snapshot']);
    } else if (method === 'going') {
      const { forGood } = params as ServerNotificationParams['going'];
      this.#serverEnds = forGood === true ? 'for-good' : 'for-now';
    } else if (method === 'control') {
      this.#options.control?.(params as ServerNotificationParams['control']);
    }
  }

  #begin(snapshot: LabSnapshot): void {
    this.#options.snapshot(snapshot);
    if (snapshot.control !== undefined) this.#options.control?.(snapshot.control);
  }
}

/** That there are numbered things of some kind, and no more. */
function hasEvents(params: unknown): params is ServerNotificationParams['events'] {
  const { events } = params as { readonly events?: unknown };
  return Array.isArray(events) && events.every(isNumbered);
}

function isNumbered(event: unknown): boolean {
  if (typeof event !== 'object' || event === null) return false;
  const { n, kind } = event as { readonly n?: unknown; readonly kind?: unknown };
  return typeof n === 'number' && typeof kind === 'string';
}
