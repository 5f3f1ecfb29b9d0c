/**
 * What one machine of a lab took in, so that another one can be led to any moment of it: stepping back is replaying
 * less. A moment of a client is how many frames it has sent to the machine and got from it since it was attached; the
 * client counts the same, and knows by that whether it can be again as it was then.
 */
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { ClientMoment } from '../protocol/client-moment.ts';
import type { QuestionResults } from '../protocol/server-questions.ts';
import type { Performed } from './conductor.ts';

/** Of more, the older half is forgotten: whoever goes further back reads it from the recording. */
export const ITEMS_MAX = 20_000;
/** Inbound events that a machine takes again in one turn: some seconds in which no other lab goes on. */
export const RETAKEN_MAX = 100_000;
/** Pages that came with them. */
const PAGES_MAX = 1_024;

type Item =
  /** `events`: how many there were before. */
  { readonly took: Inbound; readonly events: number } | { readonly sentTo: ActorName };

/** Between two inbound events. */
export interface PastMoment {
  /** How many inbound events led there. */
  readonly entries: number;
  /** How many events it has. */
  readonly events: number;
  readonly clients: ReadonlyMap<ActorName, ClientMoment>;
}

/** Why a lab does not go back so far, in words. */
export interface TooFar {
  readonly tooFar: string;
}

export const NOT_RECORDED: TooFar = {
  tooFar:
    'the beginning is not remembered any more, and this server records nothing (serve --record)',
};
export const TOO_LONG: TooFar = {
  tooFar: `more than ${RETAKEN_MAX} frames would be done again: ask its recording with mmrace explore --from`,
};
export const LONG_AGO: TooFar = {
  tooFar: `more than ${ITEMS_MAX / 2} frames ago: ask its recording with mmrace explore --from`,
};

const BEGINNING: ClientMoment = { said: 0, heard: 0 };

export class LabPast {
  #items: Item[] = [];
  #pages = 0;
  /** Where the items begin that are remembered. */
  #begins: PastMoment;

  /** `begins`: of a machine that begins in the middle of its recording. */
  constructor(begins: PastMoment = { entries: 0, events: 0, clients: new Map() }) {
    this.#begins = begins;
  }

  /** How many of the first inbound events are not remembered. */
  get forgotten(): number {
    return this.#begins.entries;
  }

  /** Before the machine takes it. */
  took(inbound: Inbound, events: number): void {
    this.#pages += pagesOf(inbound);
    this.#add({ took: inbound, events });
  }

  sent({ kind, actor, ...outbound }: Outbound): void {
    // A client hears of its fence in either order with the answer to its hello.
    if (kind === 'tell' && 'method' in outbound && outbound.method !== 'page_free') return;
    this.#add({ sentTo: actor });
  }

  /** What it took in behind the first `forgotten`. */
  get remembered(): readonly Inbound[] {
    return this.#items.flatMap((item) => ('took' in item ? [item.took] : []));
  }

  /**
   * Each remembered moment in which something was about to be undergone that one may want undone, oldest first; then
   * now.
   */
  moments(eventsNow: number): readonly PastMoment[] {
    const found: PastMoment[] = [];
    let at = this.#begins;
    for (const item of this.#items) {
      if ('took' in item && isAnAct(item.took)) found.push({ ...at, events: item.events });
      at = behind(at, item);
    }
    return [...found, { ...at, events: eventsNow }];
  }

  now(events: number): PastMoment {
    return { ...this.#items.reduce(behind, this.#begins), events };
  }

  #add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > ITEMS_MAX || this.#pages > PAGES_MAX) this.#forgetHalf();
  }

  #forgetHalf(): void {
    const gone = this.#items.splice(0, Math.ceil(this.#items.length / 2));
    for (const item of gone) {
      this.#begins = behind(this.#begins, item);
      if ('took' in item) this.#pages -= pagesOf(item.took);
    }
  }
}

function pagesOf(inbound: Inbound): number {
  return 'contents' in inbound ? inbound.contents.length : 0;
}

/** `events` is that of the last inbound event: what it led to is not counted yet. */
function behind({ entries, events, clients }: PastMoment, item: Item): PastMoment {
  if ('sentTo' in item) {
    return { entries, events, clients: counted(clients, item.sentTo, { said: 0, heard: 1 }) };
  }
  return { entries: entries + 1, events: item.events, clients: after(clients, item.took) };
}

function isAnAct({ kind }: Inbound): boolean {
  return kind === 'request' || kind === 'notify' || kind === 'answer' || kind === 'step';
}

function after(clients: PastMoment['clients'], took: Inbound): PastMoment['clients'] {
  if (!('actor' in took)) return clients;
  switch (took.kind) {
    case 'attach':
      return new Map(clients).set(took.actor, BEGINNING);
    case 'detach': {
      const left = new Map(clients);
      left.delete(took.actor);
      return left;
    }
    case 'fence':
      return clients;
    default:
      return counted(clients, took.actor, { said: 1, heard: 0 });
  }
}

function counted(
  clients: PastMoment['clients'],
  actor: ActorName,
  { said, heard }: ClientMoment,
): PastMoment['clients'] {
  const known = clients.get(actor);
  if (known === undefined) return clients;
  return new Map(clients).set(actor, { said: known.said + said, heard: known.heard + heard });
}

export function sameMoment(a: ClientMoment | undefined, b: ClientMoment | undefined): boolean {
  return a !== undefined && b !== undefined && a.said === b.said && a.heard === b.heard;
}

/** What is known of a client when the lab is to go back. */
export interface ClientNow {
  readonly name: ActorName;
  /** 'stay': it may be left as it is where it has said and heard nothing since. */
  readonly can: 'stay' | 'not stay';
  /** Moments that it can go back to; 'none' if it keeps none, and begins anew in any case. */
  readonly knows: readonly ClientMoment[] | 'none';
}

export type MomentsKnown = ReadonlyMap<ActorName, readonly ClientMoment[]>;

/** How a client comes to an earlier moment. */
type Way = 'stays' | 'goes back' | 'begins anew';

export interface WayBack {
  readonly at: PastMoment;
  readonly ways: ReadonlyMap<ActorName, Way>;
}

/** A way back, with what is taken again behind the scene. */
export interface LedBack extends WayBack {
  readonly took: readonly Inbound[];
}

/** To the very beginning. */
export const NO_WAY_BACK: LedBack = {
  at: { entries: 0, events: 0, clients: new Map() },
  ways: new Map(),
  took: [],
};

/** To the newest of `earlier`, oldest first, that every client can come to. */
export function wayBack(
  earlier: readonly PastMoment[],
  present: PastMoment | undefined,
  clients: readonly ClientNow[],
): WayBack | 'none' {
  for (const then of earlier.toReversed()) {
    const ways = new Map<ActorName, Way>();
    for (const client of clients) {
      const way = wayOfClient(client, then, present);
      if (way === 'not') break;
      ways.set(client.name, way);
    }
    if (ways.size === clients.length) return { at: then, ways };
  }
  return 'none';
}

/** 'not': it can go back, but not to this moment. */
function wayOfClient(
  { name, can, knows }: ClientNow,
  then: PastMoment,
  present: PastMoment | undefined,
): Way | 'not' {
  const moment = then.clients.get(name);
  if (moment === undefined) return 'begins anew';
  if (can === 'stay' && isSame(moment, present?.clients.get(name))) return 'stays';
  if (knows === 'none' || knows.length === 0) return 'begins anew';
  return knows.some((known) => isSame(known, moment)) ? 'goes back' : 'not';
}

function isSame(a: ClientMoment, b: ClientMoment | undefined): boolean {
  return a.said === b?.said && a.heard === b.heard;
}

export function wayOf({ ways }: WayBack, name: ActorName): Way {
  return ways.get(name) ?? 'begins anew';
}

/** What a client made of a reset. */
export function whereWent(outcome: Performed): 'back' | 'anew' {
  if (!outcome.ok) return 'anew';
  return (outcome.result as QuestionResults['reset']).moment === 'kept' ? 'back' : 'anew';
}

/** How a machine is driven that took this. */
export function modeBehind(took: readonly Inbound[]): 'running' | 'stepped' {
  const last = took.findLast(({ kind }) => kind === 'pause' || kind === 'resume');
  return last?.kind === 'pause' ? 'stepped' : 'running';
}

/** Clients that are attached behind this. */
export function attachedBy(took: readonly Inbound[]): ReadonlySet<ActorName> {
  const attached = new Set<ActorName>();
  for (const inbound of took) {
    if (inbound.kind === 'attach') attached.add(inbound.actor);
    else if (inbound.kind === 'detach') attached.delete(inbound.actor);
  }
  return attached;
}
