/**
 * Which events surely came before which others, as numbers of events: an invalidation before the callbacks that it
 * sets off and these before its end, a question to a device before its callback and the reply before whatever the asker
 * does next, an unlock before the next lock, a change of an entry before the next one and before later walks.
 * What one actor does is in its own order anyway and not repeated here.
 */
import type { Event } from '../../abi/event.ts';
import { bracketsOf } from './brackets.ts';
import { type Span, type Spans, threadOfSpan } from './spans.ts';

/** By the later event. `events` in order, `spans` of the same events. */
export function causesOf(events: readonly Event[], spans: Spans): Map<number, readonly number[]> {
  const causes = new Map<number, number[]>();
  const add = (later: number, earlier: number) => {
    const known = causes.get(later);
    if (known === undefined) causes.set(later, [earlier]);
    else known.push(earlier);
  };
  const bracketed = new Set<Span>();
  for (const { start, end, callbacks } of bracketsOf(events, spans.all)) {
    for (const span of callbacks) {
      bracketed.add(span);
      add(span.opened.n, start.n);
      if (end !== 'never' && span.closed !== 'never') add(end.n, span.closed.n);
    }
  }
  const asked = new Set(spans.all.filter((span) => isAsked(span) && !bracketed.has(span)));
  addQuestions(events, asked, add);
  addLocks(events, add);
  addEntries(events, add);
  return causes;
}

type Add = (later: number, earlier: number) => void;

function isAsked({ opened }: Span): boolean {
  return opened.kind === 'callback';
}

/** The asker's thread is where the question comes from and where the reply is awaited. */
function addQuestions(events: readonly Event[], asked: ReadonlySet<Span>, add: Add): void {
  const begins = new Map([...asked].map((span) => [span.opened.n, span]));
  const ends = new Set([...asked].map(({ closed }) => (closed === 'never' ? 0 : closed.n)));
  const last = new Map<string, number>();
  const replied = new Map<string, number>();
  for (const event of events) {
    const thread = threadOfSpan(event);
    const reply = replied.get(thread);
    if (reply !== undefined && !ends.has(event.n)) {
      add(event.n, reply);
      replied.delete(thread);
    }
    const before = last.get(thread);
    if (begins.has(event.n) && before !== undefined) add(event.n, before);
    if (ends.has(event.n)) replied.set(thread, event.n);
    last.set(thread, event.n);
  }
}

interface LockHistory {
  /** The last release of a writer, and all of readers since. */
  readonly write: number[];
  readonly reads: number[];
}

function addLocks(events: readonly Event[], add: Add): void {
  const histories = new Map<string, LockHistory>();
  const modes = new Map<string, string>();
  for (const event of events) {
    if (event.kind !== 'lock' && event.kind !== 'unlock') continue;
    const history = histories.get(event.lock) ?? { write: [], reads: [] };
    histories.set(event.lock, history);
    const holder = `${event.lock} ${threadOfSpan(event)}`;
    if (event.kind === 'lock') {
      modes.set(holder, event.mode);
      const before = event.mode === 'read' ? history.write : [...history.write, ...history.reads];
      for (const n of before) add(event.n, n);
    } else if (modes.get(holder) === 'read') {
      history.reads.push(event.n);
    } else {
      history.write.splice(0, 1, event.n);
      history.reads.length = 0;
    }
  }
}

/** A walk that came back has seen what was changed before it began; of what changed meanwhile nothing is known. */
function addEntries(events: readonly Event[], add: Add): void {
  const changed = new Map<string, number>();
  const walks = new Map<string, readonly number[]>();
  for (const event of events) {
    const thread = threadOfSpan(event);
    if (event.kind === 'pte') {
      const before = changed.get(`${event.mm} ${event.page}`);
      if (before !== undefined) add(event.n, before);
      changed.set(`${event.mm} ${event.page}`, event.n);
    } else if (event.kind === 'call' && event.function === 'hmm_range_fault') {
      walks.set(thread, changesIn(event.args, changed));
    } else if (event.kind === 'return' && event.function === 'hmm_range_fault') {
      const seen = event.result === 'OK' ? (walks.get(thread) ?? []) : [];
      for (const before of seen) add(event.n, before);
      walks.delete(thread);
    }
  }
}

/** Devices mirror the first process. */
function changesIn(
  { first, end }: Extract<Event, { kind: 'call' }>['args'],
  changed: ReadonlyMap<string, number>,
): number[] {
  if (typeof first !== 'number' || typeof end !== 'number') return [];
  const changes: number[] = [];
  for (let page = first; page < end; page += 1) {
    const change = changed.get(`0 ${page}`);
    if (change !== undefined) changes.push(change);
  }
  return changes;
}
