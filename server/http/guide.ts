/** GET /guide/NAME.md: the documents that come with the program, as they are. The page links them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import { HttpFailure } from './http-failure.ts';
import { route } from './route.ts';

/** Seen from the sources, and from the built server. */
const FOLDERS = ['../../docs', '../../../docs'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

export function addGuideRoute(app: FastifyInstance): void {
  app.get<{ readonly Params: { readonly name: string } }>(
    '/guide/:name',
    route({
      summary: 'A document that comes with the program.',
      tags: ['server'],
      params: strict({ name: Type.String({ maxLength: 64 }) }),
      produces: ['text/plain'],
      answers: {},
    }),
    ({ params: { name } }, reply) => {
      const folder = FOLDERS.find((each) => documentsIn(each).includes(name));
      if (folder === undefined) throw new HttpFailure('not-found', `name: ${name}`);
      reply.type('text/plain; charset=utf-8');
      return readFileSync(join(folder, name), 'utf8');
    },
  );
}

/** Only what is listed is read: no name leads anywhere else. */
function documentsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.md'));
  } catch {
    return [];
  }
}
