/** GET /docs, a page to read and try, and /docs/json, the same as OpenAPI 3.1: of the schemas that check requests. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

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
  // Its scripts and styles come from here: it works where nothing else is reached.
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { deepLinking: true },
  });
}
