/** GET /api/labs/{lab}/history: what happened in a lab, from any event on; what it forgot, from its recording. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import type { EventsRead } from '../live/older-events.ts';
import { HISTORY_EVENTS_MAX, HistoryAnswer } from '../protocol/http-api.ts';
import { HttpFailure } from './http-failure.ts';
import { type LabParams, LabPath, openLabNamed } from './labs.ts';
import { route } from './route.ts';

export interface EventRange {
  /** The number of the first, from 1. */
  readonly from: number;
  readonly count: number;
}

/** The recordings of a server, read event by event. */
export interface History {
  /** Rejects if `signal` ends it, and with what the file system throws. */
  read(
    lab: Lab,
    range: EventRange,
    signal: AbortSignal,
  ): Promise<EventsRead | 'not-recorded' | 'too-many'>;
  /** The same of a recording that is not this server's. */
  readText(text: string, signal: AbortSignal): Promise<EventsRead | 'too-many'>;
}

const whole = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,14}$', description }));
const Range = strict({
  from: whole('the number of the first event; 1 unless said'),
  count: whole(`at most so many; ${HISTORY_EVENTS_MAX} unless said, and no more`),
});

export function addLabHistoryRoute(
  app: FastifyInstance,
  labs: Labs,
  history: History | 'none',
): void {
  app.get<
    LabParams & { readonly Querystring: { readonly from?: string; readonly count?: string } }
  >(
    '/api/labs/:lab/history',
    route({
      summary: 'What happened in a lab, from any event on.',
      description:
        'The last few thousand events are in memory. Older ones are found by executing the recording again from ' +
        'its nearest checkpoint, in a thread beside: that takes as long as the lab has been busy since. They ' +
        'are those of the machine that is there: a restart begins anew with 1.',
      tags: ['labs'],
      params: LabPath,
      querystring: Range,
      answers: { 200: HistoryAnswer },
    }),
    async (request, reply) => {
      const lab = openLabNamed(labs, request.params.lab);
      const { query } = request;
      const from = Number(query.from ?? 1);
      const count = Math.min(Number(query.count ?? HISTORY_EVENTS_MAX), HISTORY_EVENTS_MAX);
      const known = lab.eventsAfter(from - 1);
      if (known !== 'too-old') return { events: known.slice(0, count), last: lab.feed.n };
      if (from > lab.feed.n) return { events: [], last: lab.feed.n };
      if (history === 'none') throw new HttpFailure('not-recorded', `from: ${from}`);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const read = await history.read(lab, { from, count }, gone.signal);
      if (read === 'not-recorded') throw new HttpFailure('not-recorded', `from: ${from}`);
      if (read === 'too-many') throw new HttpFailure('too-many-histories', '');
      if (read.kind === 'removed') throw new HttpFailure('events-removed', `from: ${from}`);
      if (read.kind === 'unreadable') throw new HttpFailure('lab-damaged', read.why);
      return { events: read.events, last: lab.feed.n };
    },
  );
}
