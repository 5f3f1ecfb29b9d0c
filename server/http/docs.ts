/** GET /docs, a page to read, and /docs/json, the same as OpenAPI 3.1: both made of the schemas that check requests. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.ts';

const DESCRIPTION =
  'The HTTP face of an mmrace server: labs, scenarios, patches, runs of the explorer. ' +
  'Clients that act in a lab speak WebSocket: see /asyncapi.json. ' +
  'Whatever fails answers {error: {code, errno, message, what, remedy}}.';

/** `app` must not have routes yet. */
export function addDocs(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'mmrace', description: DESCRIPTION, version },
      tags: [
        { name: 'labs', description: 'Machines that clients share.' },
        { name: 'runs', description: 'Questions to the explorer.' },
        { name: 'scenarios', description: 'What ships: scenarios, patches, drivers.' },
        { name: 'server', description: 'The process itself.' },
      ],
      components: { securitySchemes: { presenter: { type: 'http', scheme: 'bearer' } } },
    },
  });
  app.register(async (docs) => {
    docs.get('/docs/json', { schema: { hide: true } }, () => app.swagger());
    docs.get('/docs', { schema: { hide: true } }, (_request, reply) => {
      reply.type('text/html; charset=utf-8');
      reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
      return docsPage(app.swagger());
    });
  });
}
