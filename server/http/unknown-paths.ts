/** What no route has: the page, 405 where the address exists for another method, or else 404. */
import type { FastifyInstance } from 'fastify';
import { answerFailure } from './error-answers.ts';
import { HttpFailure } from './http-failure.ts';
import type { Page } from './page.ts';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** `app` must not have routes yet. */
export function answerUnknownPaths(app: FastifyInstance, page: Page): void {
  const known = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const one of [method].flat()) path.methods.add(one);
    known.set(url, path);
  });
  app.setNotFoundHandler((request, reply) => {
    const shown = page.answer(request, reply);
    if (shown !== 'not of the page') return shown;
    const path = request.url.split('?')[0] ?? '';
    const found = [...known.values()].find(({ pattern }) => pattern.test(path));
    if (found === undefined) {
      return answerFailure(reply, new HttpFailure('not-found', `path: ${path}`));
    }
    const allowed = [...found.methods].join(', ');
    reply.header('allow', allowed);
    const what = `method: expected ${allowed}, found ${request.method}`;
    return answerFailure(reply, new HttpFailure('method-not-allowed', what));
  });
}

/** `/api/labs/:lab` as an expression. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
