/**
 * The events that the page has, in blocks that are dropped from the front when there are too many, and the state at
 * any of them. Each block begins with a checkpoint: a moment is its block's checkpoint and the events since.
 */
import type { Event } from '../../../server/abi/event.ts';
import { laneActor, markNumber } from './event-marks.ts';
import { type Harm, harmOf } from './harm.ts';
import { applyEvent, copyModel, type LabModel, migratingDevice } from './lab-model.ts';
import { type EventSpan, OpenSpans } from './spans.ts';

export const BLOCK_EVENTS = 4_096;
/** More events than this and the oldest block is forgotten. */
export const PAGE_EVENTS_MAX = 262_144;
/** Violations that the page remembers one by one. */
export const VIOLATIONS_KEPT_MAX = 1_000;

export type SeenViolation = Extract<Event, { kind: 'violation' }>;

export interface EventBlock {
  readonly events: Event[];
  /** For each event its actor's place in `actors` of the history, and its mark's in MARKS. */
  readonly lanes: Uint16Array;
  readonly marks: Uint8Array;
  /** Everything that is open somewhere in this block. */
  readonly spans: EventSpan[];
  /** Before the first event. */
  readonly checkpoint: LabModel;
}

export class EventHistory {
  readonly blocks: EventBlock[] = [];
  /** Everybody whose lane there is, in the order in which they were first seen. */
  readonly actors: string[] = [];
  /** What each of them is: told by its attach, or shown by what it does. */
  readonly roles = new Map<string, 'cpu' | 'device'>();
  readonly violations: SeenViolation[] = [];
  /** Those of them that have harmed nobody, by their numbers. */
  readonly quiet = new Set<number>();
  /** Counts the changes, for the views that draw. */
  version = 0;
  readonly #laneOf = new Map<string, number>();
  readonly #spans = new OpenSpans();
  #before: Event['kind'] = 'attach';
  #now: LabModel;
  #seen: LabModel | 'none' = 'none';

  constructor(start: LabModel) {
    this.#now = start;
    for (const [name, { role }] of start.actors) {
      this.#lane(name);
      this.roles.set(name, role);
    }
  }

  /** The newest state. Not to be changed. */
  get now(): LabModel {
    return this.#now;
  }

  /** Of the violation that is event `n`. */
  harmOf(n: number): Harm {
    return this.quiet.has(n) ? 'none yet' : 'done';
  }

  /** The number of the oldest event that is kept, or of the next one if there are none. */
  get first(): number {
    return this.blocks[0]?.events[0]?.n ?? this.#now.n + 1;
  }

  get last(): number {
    return this.#now.n;
  }

  get size(): number {
    const full = Math.max(0, this.blocks.length - 1) * BLOCK_EVENTS;
    return full + (this.blocks.at(-1)?.events.length ?? 0);
  }

  /** Events in order. Those that are here already are left out. */
  append(events: readonly Event[]): void {
    for (const event of events) if (event.n > this.last) this.#appendOne(event);
    this.version += 1;
  }

  eventAt(n: number): Event | 'none' {
    const block = this.blocks[this.blockAt(n)];
    return block?.events[n - (block.events[0]?.n ?? 0)] ?? 'none';
  }

  /** The place in `blocks` of the block that has event `n`, or of the nearest one; -1 if there are none. */
  blockAt(n: number): number {
    const at = Math.floor((n - this.first) / BLOCK_EVENTS);
    return Math.min(this.blocks.length - 1, Math.max(0, at));
  }

  /** The events from `from` to `to`, both included. */
  eventsFrom(from: number, to: number): Event[] {
    const found: Event[] = [];
    for (let n = Math.max(from, this.first); n <= Math.min(to, this.last); n += 1) {
      const event = this.eventAt(n);
      if (event !== 'none') found.push(event);
    }
    return found;
  }

  /** The state right after event `n`. Not to be changed: the same object may be handed out again. */
  at(n: number): LabModel {
    if (n >= this.last || this.blocks.length === 0) return this.#now;
    const wanted = Math.max(n, this.first - 1);
    const block = this.blocks[this.blockAt(wanted)];
    if (block === undefined) return this.#now;
    const before = (block.events[0]?.n ?? 1) - 1;
    let model = this.#seen;
    if (model !== 'none' && model.n === wanted) return model;
    if (model === 'none' || model.n > wanted || model.n < before)
      model = copyModel(block.checkpoint);
    for (const event of block.events) {
      if (event.n <= model.n) continue;
      if (event.n > wanted) break;
      applyEvent(model, event);
    }
    this.#seen = model;
    return model;
  }

  /** Each span once that is open somewhere from event `from` to event `to` and lasts `events` or longer. */
  eachSpan(
    range: { readonly from: number; readonly to: number; readonly events: number },
    visit: (span: EventSpan) => void,
  ): void {
    const { from, to, events } = range;
    const firstBlock = this.blockAt(from);
    for (let at = Math.max(0, firstBlock); at <= this.blockAt(to); at += 1) {
      const block = this.blocks[at];
      const begins = block?.events[0]?.n ?? 0;
      for (const span of block?.spans ?? []) {
        // What began in an earlier block was visited there.
        if (at > firstBlock && span.from < begins) continue;
        if (span.from <= to && span.to >= from && span.to - span.from >= events) visit(span);
      }
    }
  }

  #appendOne(event: Event): void {
    let block = this.blocks.at(-1);
    if (block === undefined || block.events.length === BLOCK_EVENTS) block = this.#newBlock();
    const at = block.events.length;
    block.events.push(event);
    const actor = laneActor(event);
    block.lanes[at] = this.#lane(actor);
    const role = roleShown(event);
    // A device takes page faults, too: only who is nothing else is a CPU by that.
    if (role === 'device' || (role === 'cpu' && !this.roles.has(actor)))
      this.roles.set(actor, role);
    block.marks[at] = markNumber(event);
    const migrating = event.kind === 'call' ? migratingDevice(this.#now, event) : '';
    const span = this.#spans.see(event, migrating);
    if (span !== 'none') {
      block.spans.push(span);
      const migration = this.#spans.migrationOf(span, migrating);
      if (migration !== 'none') block.spans.push(migration);
    }
    if (event.kind !== 'violation') this.#before = event.kind;
    else if (this.violations.length < VIOLATIONS_KEPT_MAX) {
      this.violations.push(event);
      if (harmOf(event, this.#before) === 'none yet') this.quiet.add(event.n);
    }
    applyEvent(this.#now, event);
  }

  #newBlock(): EventBlock {
    const block: EventBlock = {
      events: [],
      lanes: new Uint16Array(BLOCK_EVENTS),
      marks: new Uint8Array(BLOCK_EVENTS),
      spans: this.#spans.all(),
      checkpoint: copyModel(this.#now),
    };
    this.blocks.push(block);
    if (this.blocks.length * BLOCK_EVENTS > PAGE_EVENTS_MAX) this.#forgetOldest();
    return block;
  }

  #forgetOldest(): void {
    this.blocks.shift();
    this.#seen = 'none';
    const { first } = this;
    while ((this.violations[0]?.n ?? first) < first) {
      this.quiet.delete(this.violations.shift()?.n ?? 0);
    }
  }

  #lane(actor: string): number {
    const known = this.#laneOf.get(actor);
    if (known !== undefined) return known;
    const lane = this.actors.length;
    this.actors.push(actor);
    this.#laneOf.set(actor, lane);
    return lane;
  }
}

/** What an event says of the actor of its lane. */
function roleShown(event: Event): 'cpu' | 'device' | 'unknown' {
  switch (event.kind) {
    case 'attach':
      return event.role === 'device' ? 'device' : 'cpu';
    case 'mirror':
    case 'device-access':
    case 'callback-return':
    case 'fenced':
      return 'device';
    case 'cpu-access':
    case 'pin-access':
    case 'fault':
      return 'cpu';
    default:
      return 'unknown';
  }
}
