/** Checks every request, and every answer of ours, against the schemas that the documents show. */
import type { FastifyInstance } from 'fastify';
import type { Type } from 'typebox';
import { type Check, compileCheck, firstError } from '../protocol/validators.ts';
import { HttpFailure } from './http-failure.ts';

/** `app` must not have routes yet. */
export function checkBodies(app: FastifyInstance): void {
  // A body that is not announced as JSON could come from a form of any page.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = compileCheck(schema as Type.TSchema);
    return (data: unknown) =>
      check.accepts(data) ? { value: data } : { error: misfit(check, data, httpPart ?? 'body') };
  });
  app.setSerializerCompiler(({ schema }) => {
    const check = compileCheck(schema as Type.TSchema);
    return (data: unknown) => {
      if (!check.accepts(data))
        throw new Error(`bad answer: ${misfit(check, data, 'answer').what}`);
      return JSON.stringify(data);
    };
  });
}

/** `body.patch: expected a name of 1 to 64 letters ...` */
function misfit(check: Check, data: unknown, part: string): HttpFailure {
  const { path, bound } = firstError(check, data, part);
  return new HttpFailure('bad-request', `${path}: expected ${bound}`);
}
