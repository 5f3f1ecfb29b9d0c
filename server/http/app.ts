/** The HTTP face of the server: health, numbers, the list of labs. Built without listening, so that tests inject. */
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import Type from 'typebox';
import type { Gateway } from '../gateway/gateway.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import type { HelloResult } from '../protocol/hello.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { addAsyncApiRoute } from './asyncapi-route.ts';
import { newMetrics } from './metrics.ts';

/** Where WebSockets are opened. */
export const WEBSOCKET_PATH = '/ws';

/** Whether new clients are welcome. */
export interface Readiness {
  state: 'ready' | 'going';
  /** Why labs cannot be recorded at this moment; 'none' if they can, or need not be. */
  readonly recordingProblem: () => Promise<string>;
}

export interface AppOptions {
  readonly gateway: Gateway;
  readonly labs: Labs;
  readonly readiness: Readiness;
  readonly model: HelloResult['model'];
  readonly log: FastifyBaseLogger;
}

const Actor = Type.Object({ name: Type.String(), role: Type.String(), state: Type.String() });
const LabEntry = Type.Object({
  name: Type.String(),
  patch: Type.String(),
  events: Type.Integer(),
  observers: Type.Integer(),
  actors: Type.Array(Actor),
});

/** The routes, and the WebSocket upgrade on WEBSOCKET_PATH. Whoever calls this lets it listen. */
export function buildApp(options: AppOptions): FastifyInstance {
  const { gateway, labs, readiness, model, log } = options;
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  });
  const metrics = newMetrics(gateway, labs);

  app.get('/healthz', { schema: answers(Type.Object({ status: Type.String() })) }, () => ({
    status: 'ok',
  }));
  app.get('/readyz', async (_request, reply) => {
    const problem = await readiness.recordingProblem();
    if (readiness.state === 'ready' && problem === 'none') return { status: 'ready' };
    reply.code(503);
    return readiness.state === 'going'
      ? { status: 'going' }
      : { status: 'cannot-record', why: problem };
  });
  app.get('/version', () => ({ name: 'mmrace', protocol: SUBPROTOCOL, model }));
  addAsyncApiRoute(app, { version: model.version, path: WEBSOCKET_PATH });
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.contentType);
    return await metrics.metrics();
  });
  app.get('/labs', { schema: answers(Type.Object({ labs: Type.Array(LabEntry) })) }, () => ({
    labs: labs.all().map(labEntry),
  }));

  app.server.on('upgrade', (request, socket, head) => {
    const refusal = upgradeRefusal(request.url, request.headers.origin, request.headers.host);
    if (refusal === 'none') gateway.upgrade(request, socket, head);
    else socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  return app;
}

/**
 * A page of another origin may open a WebSocket to any address that its visitor reaches, this one included. So a
 * browser is let in only with a page from the same host. Programs send no Origin.
 */
export function upgradeRefusal(
  url: string | undefined,
  origin: string | undefined,
  host: string | undefined,
): '403 Forbidden' | '404 Not Found' | 'none' {
  if (url?.split('?')[0] !== WEBSOCKET_PATH) return '404 Not Found';
  if (origin === undefined) return 'none';
  return URL.canParse(origin) && new URL(origin).host === host ? 'none' : '403 Forbidden';
}

function labEntry(lab: Lab) {
  const { name, feed } = lab;
  const { patch } = lab.config;
  return { name, patch, events: feed.n, observers: feed.observers, actors: lab.actorsSeen() };
}

function answers(schema: Type.TSchema) {
  return { response: { 200: schema } };
}
