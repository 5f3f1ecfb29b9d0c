/** What one address may ask for in a while, and what is put off while the process cannot keep up. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
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

export interface Pressure {
  /** Milliseconds that the event loop was late since the last look, on average. */
  readonly delayMs: () => number;
  /** Milliseconds between two looks at whether the process keeps up. */
  readonly lookMs: number;
}

export const REQUEST_RATE: RequestRate = { max: HTTP_REQUESTS_MAX, windowMs: 1_000 };

/** A supervisor has to see what is wrong, most of all then. */
const ALWAYS_ANSWERED: readonly string[] = ['/healthz', '/readyz', '/metrics'];
/** Files of the page: a browser does not ask again for a part that it was refused. */
const PAGE_FILES = '/assets/';
const LOOK_MS = 1_000;
const RESOLUTION_MS = 10;
/** Of the heap that the process may have. */
const HEAP_PART_MAX = 0.9;

export interface LoadOptions {
  /** REQUEST_RATE unless said. */
  readonly rate?: RequestRate;
  /** That of this process unless said. */
  readonly pressure?: Pressure;
}

export function boundLoad(app: FastifyInstance, gateway: Gateway, options: LoadOptions): void {
  const { rate = REQUEST_RATE, pressure = { delayMs: eventLoopDelay(), lookMs: LOOK_MS } } =
    options;
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
    healthCheck: keepsUp(pressure.delayMs),
    healthCheckInterval: pressure.lookMs,
    maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * HEAP_PART_MAX),
    pressureHandler: ({ url }, _reply, kind) => {
      if (exempt(url) || url.startsWith(PAGE_FILES)) return;
      throw refuse('under-pressure', kind === 'heapUsedBytes' ? 'HEAP' : 'EVENT_LOOP_DELAY_MS_MAX');
    },
  });
  app.after(() => app.addHook('onRequest', app.rateLimit()));
}

/**
 * Whether the process keeps up with its work. A delay that is seen once is over by then: the process was stopped, or
 * started on a machine that has more to do; no client need be put off for it.
 */
export function keepsUp(delayMs: () => number): () => Promise<boolean> {
  let late = 0;
  return async () => {
    late = delayMs() > EVENT_LOOP_DELAY_MS_MAX ? late + 1 : 0;
    return late < 2;
  };
}

/** As Pressure.delayMs. */
function eventLoopDelay(): () => number {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return () => {
    const mean = delays.mean / 1e6 - RESOLUTION_MS;
    delays.reset();
    return mean;
  };
}
