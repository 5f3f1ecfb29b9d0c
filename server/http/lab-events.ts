/** GET /api/labs/{lab}/events: the event log as text/event-stream, for curl and clients without WebSocket. */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Safety } from '../journal/durability.ts';
import type { Observer } from '../live/event-feed.ts';
import { guarded } from '../live/guarded.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import { SSE_LISTENERS_MAX } from '../protocol/http-api.ts';
import { HttpFailure } from './http-failure.ts';
import { type LabParams, LabPath, labNamed } from './labs.ts';
import { route } from './route.ts';

/** Milliseconds between two comments on a quiet stream, so that no proxy in between takes it for dead. */
const KEEP_ALIVE_MS = 15_000;

const Since = strict({
  since: Type.Optional(
    Type.String({
      pattern: '^\\d{1,15}$',
      description: 'the number of the last event that you have',
    }),
  ),
});

/** What happened is told when it is safe. */
export function addLabEventsRoute(app: FastifyInstance, labs: Labs, safety: Safety): void {
  const open = new Set<EventStream>();
  app.addHook('preClose', async () => {
    for (const stream of open) stream.ended();
  });
  app.get<LabParams & { readonly Querystring: { readonly since?: string } }>(
    '/api/labs/:lab/events',
    {
      exposeHeadRoute: false,
      ...route({
        summary: 'What happens in a lab, as it happens (text/event-stream).',
        description:
          'Messages are `snapshot` (the state to start from), `events` (what happened since; `id` is the number of ' +
          'the last) and `control`. With `since`, or Last-Event-ID, it begins with what is lacking if that ' +
          'is still known. A reader that does not keep up misses events and gets a snapshot instead.',
        tags: ['labs'],
        params: LabPath,
        querystring: Since,
        produces: ['text/event-stream'],
        answers: {},
      }),
    },
    (request, reply) => {
      const lab = labNamed(labs, request.params.lab);
      if (open.size >= SSE_LISTENERS_MAX) throw new HttpFailure('too-many-listeners', '');
      const last = request.query.since ?? request.headers['last-event-id'];
      const since = typeof last === 'string' && /^\d{1,15}$/.test(last) ? Number(last) : 'nothing';
      reply.hijack();
      const stream = new EventStream(lab, reply.raw, safety, () => open.delete(stream));
      open.add(stream);
      guarded(
        () => stream.begin(since),
        (bug) => {
          request.log.error({ err: bug }, 'an event stream has failed');
          reply.raw.destroy();
        },
      );
    },
  );
}

/** One reader. */
class EventStream implements Observer {
  readonly #lab: Lab;
  readonly #raw: ServerResponse;
  readonly #safety: Safety;
  readonly #keepAlive: NodeJS.Timeout;

  constructor(lab: Lab, raw: ServerResponse, safety: Safety, onEnd: () => void) {
    this.#lab = lab;
    this.#raw = raw;
    this.#safety = safety;
    this.#keepAlive = setInterval(() => {
      if (this.backlog() === 0 && !raw.writableEnded) raw.write(':\n\n');
    }, KEEP_ALIVE_MS);
    this.#keepAlive.unref();
    raw.on('error', () => raw.destroy());
    raw.on('close', () => {
      clearInterval(this.#keepAlive);
      lab.feed.remove(this);
      onEnd();
    });
  }

  begin(since: number | 'nothing'): void {
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const snapshot = this.#lab.observe(this);
    const lacking = since === 'nothing' ? 'too-old' : this.#lab.eventsAfter(since);
    if (lacking === 'too-old') this.sendText('snapshot', JSON.stringify(snapshot));
    else this.sendText('events', JSON.stringify({ events: lacking }));
  }

  backlog(): number {
    return this.#raw.writableLength;
  }

  sendText(method: 'events' | 'snapshot' | 'control', params: string): void {
    if (this.#raw.writableEnded) return;
    const id = method === 'control' ? '' : `id: ${this.#lab.feed.n}\n`;
    const text = `event: ${method}\n${id}data: ${params}\n\n`;
    const write = () => {
      if (!this.#raw.writableEnded) this.#raw.write(text);
    };
    if (this.#safety.whenSafe(write) === 'now') write();
  }

  ended(): void {
    if (!this.#raw.writableEnded) this.#raw.end('event: end\ndata: {}\n\n');
  }
}
