/** A client that is played in this page: a device with the driver dmirror, or a CPU thread. Keeps what it did. */

import { startCpu } from '../../agents/cpu-agent.ts';
import { startDevice } from '../../agents/device-agent.ts';
import type { DeviceEntry } from '../../agents/hand-verbs.ts';
import type { PlayedAgent } from '../../agents/played-agent.ts';
import type { VerbParams, VerbResult } from '../../sdk/conductor.ts';
import type { ConnectionState } from '../../sdk/connection-state.ts';
import { feedAddress } from '../lab/lab-feed.ts';
import { NOT_IN_YET, type SessionStatus } from '../lab/reconnecting.ts';
import { SessionKeeper } from '../lab/session-keeper.ts';
import { sentenceOf } from '../server-api.ts';
import { doorOf } from '../shell/memory.ts';
import { keepParked, takeParked } from './parked-players.ts';
import { resultWords } from './result-words.ts';

/** Lines of the log that are kept. */
const ACTIONS_KEPT_MAX = 40;
/** Milliseconds for what is held to go back, before it is lost. */
const LEAVE_MS = 3_000;
/** Milliseconds for a session that was parked to be had again. */
const PARKED_CONNECT_MS = 10_000;

export interface PlayedAction {
  readonly id: number;
  readonly what: string;
  readonly outcome: 'open' | 'good' | 'bad' | 'news';
  readonly result: string;
}

export type PlayerRole = 'device' | 'cpu';

export class PlayedClient {
  readonly lab: string;
  /** As the lab calls it, from the first hello on. */
  name: string;
  readonly role: PlayerRole;
  status: SessionStatus = NOT_IN_YET;
  /** Newest first. */
  actions: readonly PlayedAction[] = [];
  /** The kernel function after which a task stands; empty if none does. */
  heldAfter = '';
  heldBy: 'self' | 'presenter' = 'presenter';
  /** A device's own page table, by page. */
  table: ReadonlyMap<number, DeviceEntry> = new Map();
  /** Told of the name that the lab has given. */
  named: (name: string) => void = () => undefined;
  /** Counts machines: what was done in an earlier one is history. */
  machines = 0;
  readonly #keeper: SessionKeeper<KeptAgent>;
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
        if (status.state === 'live') this.#takeName();
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

  /** Gives private memory back, so that no page is lost; then ends the session. */
  async leave(): Promise<void> {
    const { client } = this.#keeper;
    if (client !== 'none' && this.role === 'device' && this.status.state === 'live') {
      client.go(this.name);
      await Promise.race([giveBack(client, this.name), client.closed, late()]);
    }
    this.#keeper.stop();
    this.status = { state: 'refused', code: 'left', why: 'You have left the lab.' };
    this.#changed();
  }

  #takeName(): void {
    const { client } = this.#keeper;
    const given = client === 'none' ? undefined : client.actors()[0];
    if (given === undefined || given === this.name) return;
    this.name = given;
    this.named(given);
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
    this.heldBy = 'presenter';
    this.#changed();
  }

  hold(after: string): void {
    const { client } = this.#keeper;
    if (client === 'none') return;
    client.hold(this.name, after);
    this.heldBy = 'self';
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

  #begin(moved: (state: ConnectionState['state']) => void): KeptAgent {
    const parked = takeParked(this.lab, this.role, this.name);
    const options = {
      url: feedAddress(),
      lab: doorOf(this.lab),
      name: this.name,
      connectMs: parked === 'none' ? 0 : PARKED_CONNECT_MS,
      ...(parked === 'none' ? {} : { parked }),
      // A session that is gone is begun anew by the keeper, which says so on the page.
      onLoss: 'resume' as const,
      say: (text: string) => this.#news(text),
      watch: {
        moved: (_: string, state: ConnectionState['state']) => moved(state),
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
          this.machines += 1;
          this.actions = [];
          this.heldAfter = '';
          this.table = new Map();
          this.#changed();
          // In a lab that went back it holds what it held then.
          queueMicrotask(() => this.refreshTable());
        },
      },
    };
    const agent = this.role === 'device' ? startDevice(options) : startCpu(options);
    return { ...agent, hide: () => this.#hide(agent) };
  }

  /** Between two loads of the page the session goes on, and what it holds with it. */
  #hide(agent: PlayedAgent): void {
    const parked = agent.park();
    if (parked === 'busy') agent.close();
    else keepParked(this.lab, this.role, this.name, parked);
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

interface KeptAgent extends PlayedAgent {
  hide(): void;
}

async function giveBack(client: PlayedAgent, name: string): Promise<void> {
  await client.perform(name, { verb: 'finalize' }).catch(() => undefined);
  await client.perform(name, { verb: 'release' }).catch(() => undefined);
}

function late(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LEAVE_MS);
  });
}

function isGood(result: VerbResult): boolean {
  return (result.errno ?? 'OK') === 'OK' && result.signal === undefined;
}
