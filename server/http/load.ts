/** What one address may ask for in a while, and what is put off while the process cannot keep up. */
import { getHeapStatistics } from 'node:v8';
import rateLimit from '@fastify/rate-limit';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway/gateway.ts';
import { EVENT_LOOP_DELAY_MS_MAX, HTTP_REQUESTS_MAX } from '../protocol/http-api.ts';
import { HttpFailure } from './http-failure.ts';

export interface RequestRate {
  /** Requests of one address. */
  readonly max: number;
  readonly windowMs: number;
}

export const REQUEST_RATE: RequestRate = { max: HTTP_REQUESTS_MAX, windowMs: 1_000 };

/** A supervisor has to see what is wrong, most of all then. */
const ALWAYS_ANSWERED: readonly string[] = ['/healthz', '/readyz', '/metrics'];
/** Of the heap that the process may have. */
const HEAP_PART_MAX = 0.9;

export function boundLoad(app: FastifyInstance, gateway: Gateway, rate: RequestRate): void {
  const exempt = (url: string) => ALWAYS_ANSWERED.includes(url.split('?')[0] ?? '');
  const refuse = (code: 'too-many-requests' | 'under-pressure', limit: string): HttpFailure => {
    gateway.countLimit(limit);
    return new HttpFailure(code, limit);
  };
  app.register(rateLimit, {
    global: false,
    max: rate.max,
    timeWindow: rate.windowMs,
    allowList: ({ url }) => exempt(url),
    errorResponseBuilder: () => refuse('too-many-requests', 'HTTP_REQUESTS_MAX'),
  });
  app.register(underPressure, {
    maxEventLoopDelay: EVENT_LOOP_DELAY_MS_MAX,
    maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * HEAP_PART_MAX),
    pressureHandler: ({ url }, _reply, kind) => {
      if (exempt(url)) return;
      throw refuse('under-pressure', kind === 'heapUsedBytes' ? 'HEAP' : 'EVENT_LOOP_DELAY_MS_MAX');
    },
  });
  app.after(() => app.addHook('onRequest', app.rateLimit()));
}
