/**
 * What one machine of a lab took in, so that another one can be led to any moment of it: stepping back is replaying
 * less. A moment of a client is how many frames it has sent to the machine and got from it since it was attached; the
 * client counts the same, and knows by that whether it can be again as it was then.
 */
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { ClientMoment } from '../protocol/client-moment.ts';
import type { QuestionResults } from '../protocol/server-questions.ts';
import type { Performed } from './conductor.ts';

/** Of more, nothing is known any more: a lab that has been busy for long cannot step back. */
const ITEMS_MAX = 20_000;
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

const BEGINNING: ClientMoment = { said: 0, heard: 0 };

export class LabPast {
  #items: Item[] | 'forgotten' = [];
  #pages = 0;

  /** Of a machine that an earlier server had: what led there is not here. */
  forget(): void {
    this.#items = 'forgotten';
  }

  /** Before the machine takes it. */
  took(inbound: Inbound, events: number): void {
    if ('contents' in inbound) this.#pages += inbound.contents.length;
    this.#add({ took: inbound, events });
  }

  sent({ kind, actor, ...outbound }: Outbound): void {
    // A client hears of its fence in either order with the answer to its hello.
    if (kind === 'tell' && 'method' in outbound && outbound.method !== 'page_free') return;
    this.#add({ sentTo: actor });
  }

  /** The first `entries` of what it took in. */
  upTo(entries: number): readonly Inbound[] {
    if (this.#items === 'forgotten') return [];
    return this.#items.flatMap((item) => ('took' in item ? [item.took] : [])).slice(0, entries);
  }

  /** Each moment in which something was about to be undergone that one may want undone, oldest first; then now. */
  moments(eventsNow: number): readonly PastMoment[] | 'forgotten' {
    if (this.#items === 'forgotten') return 'forgotten';
    const found: PastMoment[] = [];
    let clients = new Map<ActorName, ClientMoment>();
    let entries = 0;
    for (const item of this.#items) {
      if ('sentTo' in item) {
        clients = counted(clients, item.sentTo, { said: 0, heard: 1 });
        continue;
      }
      const { took, events } = item;
      if (isAnAct(took)) found.push({ entries, events, clients });
      entries += 1;
      clients = after(clients, took);
    }
    return [...found, { entries, events: eventsNow, clients }];
  }

  #add(item: Item): void {
    if (this.#items === 'forgotten') return;
    if (this.#items.length === ITEMS_MAX || this.#pages > PAGES_MAX) this.forget();
    else this.#items.push(item);
  }
}

function isAnAct({ kind }: Inbound): boolean {
  return kind === 'request' || kind === 'notify' || kind === 'answer' || kind === 'step';
}

function after(clients: Map<ActorName, ClientMoment>, took: Inbound): Map<ActorName, ClientMoment> {
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
  clients: Map<ActorName, ClientMoment>,
  actor: ActorName,
  { said, heard }: ClientMoment,
): Map<ActorName, ClientMoment> {
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
