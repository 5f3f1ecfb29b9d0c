/** A lab as lines: what came before, if that is wanted, then every event as it happens. */
import type { Event } from '../../../server/abi/event.ts';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import { connect } from '../../sdk/connect.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import type { ClosedWhy } from '../../sdk/connection-state.ts';
import { endedSentence } from '../ended-session.ts';
import { UsageError } from '../failure.ts';
import { eventsSince } from './backlog.ts';
import { type Colour, EventColumns } from './event-columns.ts';
import { type EventFilter, passes } from './event-filter.ts';
import { FtraceStream } from './ftrace-stream.ts';
import { gap, greeting, noBacklog } from './watch-words.ts';

export type StreamFormat = 'text' | 'jsonl' | 'ftrace';

export interface WatchOptions {
  readonly url: string;
  readonly lab: string;
  readonly name: string;
  readonly format: StreamFormat;
  readonly filter: EventFilter;
  /** Begin behind the event of this number; 'now': with what happens next. */
  readonly since: number | 'now';
  readonly colour: Colour;
  readonly print: (text: string) => void;
  readonly say: (text: string) => void;
}

export interface WatchedLab {
  readonly closed: Promise<ClosedWhy>;
  /** The number of the last event that was seen, shown or not. */
  last(): number;
  /** Whether the server has said that no other comes in its place. */
  forGood(): boolean;
  close(): void;
}

/** Rejects: UsageError if the server refuses. */
export async function watchLab(options: WatchOptions): Promise<WatchedLab> {
  const { url, lab, name, filter, say } = options;
  const lines: { write: ((event: Event) => string) | 'not-yet'; n: number } = {
    write: 'not-yet',
    n: 0,
  };
  /** What arrives while what came before is fetched. */
  let early: Event[] | 'none' = options.since === 'now' ? 'none' : [];
  const show = (events: readonly Event[]): void => {
    for (const { n } of events) lines.n = Math.max(lines.n, n);
    const { write } = lines;
    if (write === 'not-yet') return;
    const shown = events.filter((event) => passes(event, filter)).map(write);
    if (shown.length > 0) options.print(shown.join('\n'));
  };
  const observer = await connect({
    role: 'observer',
    url,
    lab,
    name,
    snapshot: (snapshot) => {
      if (lines.write === 'not-yet') say(greeting(snapshot));
      else say(gap(lines.n, snapshot));
      lines.write = writer(options, snapshot);
      lines.n = snapshot.n;
    },
    events: (events) => {
      if (early === 'none') show(events);
      else early.push(...events);
    },
  }).catch((error: unknown) => {
    if (!(error instanceof SessionClosed)) throw error;
    throw new UsageError(endedSentence(error.closed, url), { cause: error });
  });
  if (options.since !== 'now') {
    const last = lines.n;
    const before = await eventsSince(url, lab, options.since);
    if (typeof before === 'string') say(noBacklog(before, options.since));
    else show(before.filter(({ n }) => n <= last));
    const waiting = early === 'none' ? [] : early;
    early = 'none';
    show(waiting);
  }
  return {
    closed: observer.connection.closed,
    last: () => lines.n,
    forGood: () => observer.serverEnds === 'for-good',
    close: () => observer.close(),
  };
}

function writer(
  { format, colour }: WatchOptions,
  { actors }: LabSnapshot,
): (event: Event) => string {
  switch (format) {
    case 'text': {
      const columns = new EventColumns(
        colour,
        actors.map((actor) => actor.name),
      );
      return (event) => columns.line(event);
    }
    case 'ftrace': {
      const devices = actors.filter(({ role }) => role === 'device').map((actor) => actor.name);
      const stream = new FtraceStream(devices);
      return (event) => stream.line(event);
    }
    case 'jsonl':
      return (event) => JSON.stringify(event);
  }
}
