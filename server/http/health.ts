/** For the owner of the server: does it live, does it take clients, what are its numbers, which version is it. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { Gateway } from '../gateway/gateway.ts';
import type { Labs } from '../live/labs.ts';
import type { HelloResult } from '../protocol/hello.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { newMetrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { route } from './route.ts';

const tags = ['server'];
const LabStatus = Type.Object({ lab: Type.String(), why: Type.Optional(Type.String()) });
const Status = Type.Object({
  status: Type.String(),
  why: Type.Optional(Type.String()),
  restoring: Type.Optional(Type.Array(LabStatus)),
  damaged: Type.Optional(Type.Array(LabStatus)),
});

export interface HealthOptions {
  readonly gateway: Gateway;
  readonly labs: Labs;
  readonly readiness: Readiness;
  readonly model: HelloResult['model'];
  /** Lines of the log that were dropped. */
  readonly logDropped?: () => number;
}

/** Of the labs that are not open: which, and why. */
function notOpen(labs: Labs): Partial<Record<'restoring' | 'damaged', readonly object[]>> {
  const of = (state: 'restoring' | 'damaged') =>
    labs
      .all()
      .filter(({ standing }) => standing.state === state)
      .map(({ name, standing }) => ({
        lab: name,
        ...('why' in standing ? { why: standing.why } : {}),
      }));
  const [restoring, damaged] = [of('restoring'), of('damaged')];
  return {
    ...(restoring.length > 0 ? { restoring } : {}),
    ...(damaged.length > 0 ? { damaged } : {}),
  };
}

export function addHealthRoutes(app: FastifyInstance, options: HealthOptions): void {
  const { gateway, labs, readiness, model } = options;
  const metrics = newMetrics(gateway, labs, options.logDropped ?? (() => 0));
  const alive = route({ summary: 'The process lives.', tags, answers: { 200: Status } });
  app.get('/healthz', alive, () => ({ status: 'ok' }));

  const ready = {
    summary: 'The server takes clients: it is not ending, and can record if it should.',
    description: 'Labs that are being restored, or are damaged, are named with the reason.',
    tags,
    answers: { 200: Status, 503: Status },
  };
  app.get('/readyz', route(ready), async (_request, reply) => {
    const problem = await readiness.recordingProblem();
    // A lab that is not there yet keeps no client from the others.
    if (readiness.state === 'ready' && problem === 'none') {
      return { status: 'ready', ...notOpen(labs) };
    }
    reply.code(503);
    return readiness.state === 'going'
      ? { status: 'going' }
      : { status: 'cannot-record', why: problem };
  });

  const version = {
    summary: 'The protocol, and the model that recordings and schedules belong to.',
    tags,
    answers: {
      200: Type.Object({
        name: Type.String(),
        protocol: Type.String(),
        model: Type.Object({ hash: Type.String(), version: Type.String() }),
      }),
    },
  };
  app.get('/version', route(version), () => ({ name: 'mmrace', protocol: SUBPROTOCOL, model }));

  const numbers = {
    summary: 'Numbers for Prometheus.',
    tags,
    produces: ['text/plain'],
    answers: {},
  };
  app.get('/metrics', route(numbers), async (_request, reply) => {
    reply.type(metrics.contentType);
    return await metrics.metrics();
  });
}
