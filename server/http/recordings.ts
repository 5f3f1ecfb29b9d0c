/** POST /api/recordings/read: a recording that somebody was sent, event by event. */
import type { FastifyInstance } from 'fastify';
import { RECORDING_BYTES_MAX, RecordingAnswer, RecordingText } from '../protocol/http-api.ts';
import { HttpFailure } from './http-failure.ts';
import type { History } from './lab-history.ts';
import { route } from './route.ts';

/** JSON says a quote by two signs, and every line of a recording is full of them. */
const BODY_BYTES_MAX = 2 * RECORDING_BYTES_MAX;

export function addRecordingRoute(app: FastifyInstance, history: History | 'none'): void {
  app.post<{ readonly Body: RecordingText }>(
    '/api/recordings/read',
    {
      ...route({
        summary: 'Does a recording again, and says what happened in it.',
        description: 'A file of `mmrace serve --record`, of the same version of mmrace.',
        tags: ['labs'],
        body: RecordingText,
        answers: { 200: RecordingAnswer },
      }),
      bodyLimit: BODY_BYTES_MAX,
    },
    async ({ body: { text } }, reply) => {
      const { lab, patch } = headerOf(text);
      if (history === 'none') throw new HttpFailure('not-recorded', '');
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const read = await history.readText(text, gone.signal);
      if (read === 'too-many') throw new HttpFailure('too-many-histories', '');
      if (read.kind !== 'events') {
        throw new HttpFailure('bad-recording', read.kind === 'unreadable' ? read.why : '');
      }
      return { lab, patch, events: read.events };
    },
  );
}

/** Throws: HttpFailure. */
function headerOf(text: string): { readonly lab: string; readonly patch: string } {
  try {
    const { lab, config } = JSON.parse(text.slice(0, text.indexOf('\n')));
    if (typeof lab === 'string' && typeof config?.patch === 'string') {
      return { lab, patch: config.patch };
    }
  } catch {
    // Said below.
  }
  throw new HttpFailure('bad-recording', 'its first line is no header');
}
