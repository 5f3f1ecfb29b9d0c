/** GET /asyncapi.json: the WebSocket protocol as a document, made from the schemas that check every frame. */
import type { FastifyInstance } from 'fastify';
import { asyncApi } from '../documents/asyncapi.ts';

export interface AsyncApiRoute {
  /** Of the server. */
  readonly version: string;
  /** Where WebSockets are opened. */
  readonly path: string;
}

/** Whoever asks is told the host by which it reached the server. */
export function addAsyncApiRoute(app: FastifyInstance, { version, path }: AsyncApiRoute): void {
  app.get('/asyncapi.json', (request) => asyncApi({ version, host: request.host, path }));
}
