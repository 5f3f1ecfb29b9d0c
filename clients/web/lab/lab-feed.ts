/** What the page knows of a lab, fresh from the server: its events, and how it is being driven. */

import type { Event } from '../../../server/abi/event.ts';
import { HISTORY_EVENTS_MAX } from '../../../server/protocol/http-api.ts';
import type { LabControl } from '../../../server/protocol/lab-control.ts';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import type { ConnectionState } from '../../sdk/connection-state.ts';
import { ObserverClient } from '../../sdk/observer-client.ts';
import { EventHistory } from '../model/event-history.ts';
import { emptyModel, modelOfSnapshot } from '../model/lab-model.ts';
import { serverApi } from '../server-api.ts';
import { goElsewhere } from '../shell/go-elsewhere.ts';
import { doorOf } from '../shell/memory.ts';
import { beganAgain } from './began-again.ts';
import { NOT_IN_YET, type SessionStatus } from './reconnecting.ts';
import { type KeptClient, SessionKeeper } from './session-keeper.ts';

/** Milliseconds between two changes that panels are told of. Canvases look for themselves. */
const TELL_MS = 120;
/** Milliseconds between two pings. */
const BEAT_MS = 1_000;
/** Milliseconds without a sign of the server after which a picture is not live any more. */
const SILENT_MS = 3_000;
/** What a browser says of its network. */
const NETWORK_NEWS = ['offline', 'online'] as const;

/** Attempts to come back to a server, after which others are asked that keep its labs. */
const GONE_AFTER = 3;

export class LabFeed {
  readonly lab: string;
  status: SessionStatus = NOT_IN_YET;
  history = new EventHistory(emptyModel('stock'));
  control: LabControl | 'unknown' = 'unknown';
  /** Counts histories: another machine, or a page that fell behind. */
  beginnings = 0;
  /** The last event that was over when this page began to look. */
  lookedFrom = 0;
  /** Why the history begins anew, for the person who watches; empty if it is the first. */
  remark = '';
  /** When the server was heard last, by performance.now(). */
  heardAt = performance.now();
  live: 'live' | 'late' = 'late';
  #session: 'over' | 'same' = 'same';
  readonly #keeper: SessionKeeper<WatchingClient>;
  readonly #listeners = new Set<() => void>();
  /** Servers that keep the same labs, as of the last hello. */
  #others: readonly string[] = [];
  #version = 0;
  #telling: ReturnType<typeof setTimeout> | 'none' = 'none';
  #beating: ReturnType<typeof setInterval> | 'none' = 'none';
  /** 'refused': an older server, whose silence says nothing. */
  #pings: 'answered' | 'refused' = 'answered';

  constructor(lab: string, name: string) {
    this.lab = lab;
    this.#keeper = new SessionKeeper(
      (moved) => keepable(this.#observe(name, moved)),
      (status) => {
        this.status = status;
        this.#judgeLife();
        if (status.state === 'waiting') this.#session = 'over';
        this.#lookElsewhere(status);
        this.#changed();
      },
    );
  }

  #observe(name: string, moved: (state: ConnectionState['state']) => void): ObserverClient {
    const client = new ObserverClient({
      url: feedAddress(),
      lab: doorOf(this.lab),
      name,
      moved,
      elsewhere: (address) => goElsewhere(address, this.lab),
      believes: 'events',
      snapshot: (snapshot) => this.#begin(snapshot),
      events: (events) => {
        this.heardAt = performance.now();
        this.history.append(events);
        this.#changed();
      },
      control: (control) => {
        this.heardAt = performance.now();
        this.control = control;
        this.#changed();
      },
    });
    client.connection.greeted.then(
      ({ others = [] }) => {
        this.#others = others;
      },
      () => undefined,
    );
    return client;
  }

  /** Its server is gone: another one that keeps the same labs has this one in a moment, or knows which has. */
  #lookElsewhere(status: SessionStatus): void {
    const [other] = this.#others;
    if (status.state !== 'waiting' || status.failures < GONE_AFTER || other === undefined) return;
    goElsewhere(other, this.lab);
  }

  start(): void {
    this.#keeper.start();
    this.#beating = setInterval(() => this.#beat(), BEAT_MS);
    for (const news of NETWORK_NEWS) addEventListener(news, this.#beat);
  }

  stop(): void {
    this.#keeper.stop();
    if (this.#beating !== 'none') clearInterval(this.#beating);
    for (const news of NETWORK_NEWS) removeEventListener(news, this.#beat);
  }

  /** For views: calls `listener` after changes, at most once in TELL_MS. Returns how to end that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another number after each change that listeners were told of. */
  readonly version = (): number => this.#version;

  /** Asks whether the server is still there: a network that died sends no message of it. */
  readonly #beat = (): void => {
    const { client } = this.#keeper;
    if (client !== 'none' && this.status.state === 'live' && this.#pings === 'answered') {
      client.ping().then(
        (pong) => {
          if (pong === 'unknown') this.#pings = 'refused';
          else if (pong === 'answered') this.#heard();
        },
        () => undefined,
      );
    }
    this.#judgeLife();
  };

  #heard(): void {
    this.heardAt = performance.now();
    this.#judgeLife();
  }

  #judgeLife(): void {
    const silentMs = performance.now() - this.heardAt;
    const isSilent = this.#pings === 'answered' && silentMs >= SILENT_MS;
    const isLive = this.status.state === 'live' && !isSilent && navigator.onLine;
    const live = isLive ? 'live' : 'late';
    if (live === this.live) return;
    this.live = live;
    this.#changed();
  }

  #begin(snapshot: LabSnapshot): void {
    this.#heard();
    const { last } = this.history;
    const session = this.#session;
    this.#session = 'same';
    if (this.beginnings > 0) this.remark = beganAgain({ last, n: snapshot.n, session });
    this.beginnings += 1;
    this.lookedFrom = snapshot.n;
    this.history = new EventHistory(modelOfSnapshot(snapshot));
    this.#changed();
    if (snapshot.n > 0) this.#lookBack(snapshot.patch).catch(() => undefined);
  }

  /** Puts what came before the snapshot before it, if the server has all of it. */
  async #lookBack(patch: string): Promise<void> {
    const { beginnings } = this;
    const earlier = await earlierEvents(this.lab, this.lookedFrom);
    if (earlier === 'too-old' || beginnings !== this.beginnings) return;
    const whole = new EventHistory(emptyModel(patch));
    whole.append(earlier);
    // What came over both ways meanwhile; a hole would be worse than a late beginning.
    if (whole.last + 1 < this.history.first) return;
    whole.append(this.history.eventsFrom(whole.last + 1, this.history.last));
    this.history = whole;
    this.#changed();
  }

  #changed(): void {
    if (this.#telling !== 'none') return;
    this.#telling = setTimeout(() => {
      this.#telling = 'none';
      this.#version += 1;
      for (const listener of this.#listeners) listener();
    }, TELL_MS);
  }
}

interface WatchingClient extends KeptClient {
  /** 'unknown': the server does not know the request. */
  ping(): Promise<'answered' | 'lost' | 'unknown'>;
}

function keepable(client: ObserverClient): WatchingClient {
  const { greeted, closed } = client.connection;
  return {
    greeted,
    closed,
    close: () => client.close(),
    async ping() {
      const answer = await client.connection.call('ping', {});
      if (answer.ok) return 'answered';
      return answer.refusal.code === 'session-lost' ? 'lost' : 'unknown';
    },
  };
}

/** The server that sent the page. */
export function feedAddress(): string {
  const { protocol, host } = location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/ws`;
}

/** Events above which a page begins where it came: reading them takes longer than anybody wants to wait. */
const LOOK_BACK_MAX = 8 * HISTORY_EVENTS_MAX;

/** Returns: all events from the first one to `last`, or 'too-old' if the server has not all of them, or too many. */
async function earlierEvents(lab: string, last: number): Promise<readonly Event[] | 'too-old'> {
  const events: Event[] = [];
  if (last > LOOK_BACK_MAX) return 'too-old';
  while (events.length < last) {
    const { events: more } = await serverApi.history(lab, events.length + 1);
    if (more.length === 0 || more[0]?.n !== events.length + 1) return 'too-old';
    events.push(...more);
  }
  return events;
}
