/** Each request has an id, in its answer and in every line of the log that it causes. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

const ID_HEADER = 'x-request-id';
const GIVEN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The caller's own id, if it sent a reasonable one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers[ID_HEADER];
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : randomUUID();
}

export function nameRequests(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(ID_HEADER, request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, params } = request;
    const lab = (params as { readonly lab?: string } | undefined)?.lab;
    const ms = Math.round(reply.elapsedTime);
    const line = {
      method,
      url,
      status: reply.statusCode,
      ms,
      ...(lab === undefined ? {} : { lab }),
    };
    // Those that only look are many.
    if (method === 'GET' || method === 'HEAD') request.log.debug(line, 'answered');
    else request.log.info(line, 'answered');
  });
}
