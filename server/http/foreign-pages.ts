import type { FastifyInstance } from 'fastify';
import { HttpFailure } from './http-failure.ts';

/**
 * A page of another origin may send requests to any address that its visitor reaches, this one included. It must not
 * open labs or control them in the visitor's name. Programs send no Origin.
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const { origin, host } = request.headers;
    if (origin === undefined || isSameHost(origin, host)) return;
    throw new HttpFailure('foreign-page', `origin: ${origin}`);
  });
}

export function isSameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
