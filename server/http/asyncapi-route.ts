/** GET /asyncapi.json: the WebSocket protocol as a document, made from the schemas that check every frame. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { asyncApi } from '../documents/asyncapi.ts';
import { route } from './route.ts';

export interface AsyncApiRoute {
  /** Of the server. */
  readonly version: string;
  /** Where WebSockets are opened. */
  readonly path: string;
}

/** The document names the host by which the client reached the server. */
export function addAsyncApiRoute(app: FastifyInstance, { version, path }: AsyncApiRoute): void {
  const words = {
    summary: 'The WebSocket protocol, as AsyncAPI.',
    tags: ['server'],
    answers: { 200: Type.Unknown() },
  };
  app.get('/asyncapi.json', route(words), (request) =>
    asyncApi({ version, host: request.host, path }),
  );
}
