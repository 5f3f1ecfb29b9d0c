/** A client that is played in this page: a device with the driver dmirror, or a CPU thread. Keeps what it did. */

import { startCpu } from '../../agents/cpu-agent.ts';
import { startDevice } from '../../agents/device-agent.ts';
import type { DeviceEntry } from '../../agents/hand-verbs.ts';
import type { PlayedAgent } from '../../agents/played-agent.ts';
import type { VerbParams, VerbResult } from '../../sdk/conductor.ts';
import type { ConnectionState } from '../../sdk/connection-state.ts';
import { webSocketAddress } from '../lab/lab-feed.ts';
import { BEGINNING, type SessionStatus } from '../lab/reconnecting.ts';
import { SessionKeeper } from '../lab/session-keeper.ts';
import { sentenceOf } from '../server-api.ts';
import { resultWords } from './result-words.ts';

/** Lines of the log that are kept. */
const ACTIONS_KEPT_MAX = 40;

export interface PlayedAction {
  readonly id: number;
  readonly what: string;
  readonly outcome: 'open' | 'good' | 'bad' | 'news';
  readonly result: string;
}

export type PlayerRole = 'device' | 'cpu';

export class PlayedClient {
  readonly lab: string;
  readonly name: string;
  readonly role: PlayerRole;
  status: SessionStatus = BEGINNING;
  /** Newest first. */
  actions: readonly PlayedAction[] = [];
  /** The kernel function after which a task stands; empty if none does. */
  heldAfter = '';
  /** A device's own page table, by page. */
  table: ReadonlyMap<number, DeviceEntry> = new Map();
  readonly #keeper: SessionKeeper<PlayedAgent>;
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #nextId = 1;

  constructor(lab: string, name: string, role: PlayerRole) {
    this.lab = lab;
    this.name = name;
    this.role = role;
    this.#keeper = new SessionKeeper(
      (moved) => this.#begin(moved),
      (status) => {
        this.status = status;
        if (status.state === 'live' && status.told !== '') this.#news(status.told);
        this.#changed();
      },
    );
  }

  start(): void {
    this.#keeper.start();
  }

  stop(): void {
    this.#keeper.stop();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly version = (): number => this.#version;

  /** Does a verb and keeps what came of it. */
  async perform(what: string, params: VerbParams): Promise<void> {
    const { client } = this.#keeper;
    if (client === 'none') return;
    const id = this.#record({ what, outcome: 'open', result: 'under way' });
    try {
      const result = await client.perform(this.name, params);
      this.#settle(id, isGood(result) ? 'good' : 'bad', resultWords(result));
    } catch (error) {
      this.#settle(id, 'bad', sentenceOf(error));
    }
    this.refreshTable();
  }

  /** Goes on from a hold. */
  go(): void {
    const { client } = this.#keeper;
    if (client !== 'none') client.go(this.name);
    this.heldAfter = '';
    this.#changed();
  }

  hold(after: string): void {
    const { client } = this.#keeper;
    if (client === 'none') return;
    client.hold(this.name, after);
    this.#news(`The next ${after}() will make you stand still.`);
  }

  /** Reads the device's own page table, which is here and nowhere else. */
  refreshTable(): void {
    const { client } = this.#keeper;
    if (this.role !== 'device' || client === 'none' || this.status.state !== 'live') return;
    client.perform(this.name, { verb: 'page-table' }).then(
      ({ entries }) => {
        const found = entries as readonly DeviceEntry[];
        this.table = new Map(found.map((entry) => [entry.page, entry]));
        this.#changed();
      },
      () => undefined,
    );
  }

  #begin(moved: (state: ConnectionState['state']) => void): PlayedAgent {
    const options = {
      url: webSocketAddress(),
      lab: this.lab,
      name: this.name,
      connectMs: 0,
      // A session that is gone is begun anew by the keeper, which says so on the page.
      onLoss: 'resume' as const,
      say: (text: string) => this.#news(text),
      watch: {
        moved: (actor: string, state: ConnectionState['state']) => {
          if (actor === this.name) moved(state);
        },
        asked: (actor: string, { verb }: VerbParams) =>
          this.#news(`${actor} was asked by the presenter: ${verb}`),
        held: (_: string, after: string) => {
          this.heldAfter = after;
          this.#changed();
        },
        wentOn: () => {
          this.heldAfter = '';
          this.#changed();
        },
        began: () => {
          this.heldAfter = '';
          this.table = new Map();
          this.#changed();
        },
      },
    };
    return this.role === 'device' ? startDevice(options) : startCpu(options);
  }

  #news(text: string): void {
    this.#record({ what: text, outcome: 'news', result: '' });
  }

  #record(action: Omit<PlayedAction, 'id'>): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.actions = [{ ...action, id }, ...this.actions].slice(0, ACTIONS_KEPT_MAX);
    this.#changed();
    return id;
  }

  #settle(id: number, outcome: PlayedAction['outcome'], result: string): void {
    this.actions = this.actions.map((action) =>
      action.id === id ? { ...action, outcome, result } : action,
    );
    this.#changed();
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

function isGood(result: VerbResult): boolean {
  return (result.errno ?? 'OK') === 'OK' && result.signal === undefined;
}
