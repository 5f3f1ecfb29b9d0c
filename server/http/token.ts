/**
 * A server that is not for everybody: its token opens labs, starts runs and lists what is open; a lab's code, or its
 * presenter's token, is enough for that lab.
 */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Labs } from '../live/labs.ts';
import { bearerOf } from './error-answers.ts';
import { HttpFailure } from './http-failure.ts';

/** Throws in a hook: HttpFailure. */
export function needToken(app: FastifyInstance, labs: Labs, token: string): void {
  app.addHook('onRequest', async (request) => {
    const shown = bearerOf(request);
    const path = request.url.split('?')[0] ?? '';
    if (same(shown, token) || isOpen(labs, request.method, path, shown)) return;
    throw new HttpFailure('token-needed', `${request.method} ${path}`);
  });
}

/** Whether a request needs no token, or not that of the server. */
function isOpen(labs: Labs, method: string, path: string, shown: string): boolean {
  const [, api, room, name, what] = path.split('/');
  if (api !== 'api') return true;
  if (room === 'runs') return method === 'GET' || method === 'HEAD';
  if (room === 'recordings' || room === 'campaigns') return false;
  if (room !== 'labs') return true;
  if (name === undefined || name === '') return false;
  const lab = labs.find(decoded(name));
  if (lab !== 'none' && lab.presenter.is(shown)) return true;
  const byCode = labs.withCode(decoded(name)) !== 'none';
  return byCode && what !== 'control' && what !== 'runs' && method !== 'DELETE';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function same(shown: string, token: string): boolean {
  const [one, other] = [Buffer.from(shown), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}
