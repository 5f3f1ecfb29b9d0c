/** The page: built files at / and /assets, and its one document for each address of its own. */
import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Where the build puts it, seen from the sources and from the built server. */
const FOLDERS = ['../../dist/web', '../../web'];
const DOCUMENT = 'index.html';
/** The build names these by what is in them. */
const HASHED = /^\/assets\//;
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_FIRST = 'no-cache';

/** All that the page needs, and nothing of anybody else's. Styles are set by its code, too. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Addresses below these are programs' alone: an unknown one is an error and no page. */
const NOT_OF_PAGE = /^\/(?:api|docs|guide|ws|asyncapi|healthz|readyz|metrics|version)(?:[/.]|$)/;

export interface Page {
  /** Answers with a file of the page, or with its document. 'not of the page': nothing was answered. */
  answer(request: FastifyRequest, reply: FastifyReply): FastifyReply | 'not of the page';
}

/** `folder` is where the page was built; it may be built while the server runs. */
export function addPage(app: FastifyInstance, folder: string = pageFolder()): Page {
  // The build packs them: phones in a room share one radio.
  app.register(fastifyStatic, { serve: false, cacheControl: false, preCompressed: true });
  return {
    answer(request, reply) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return 'not of the page';
      const path = pathOf(request);
      if (path === 'bad' || NOT_OF_PAGE.test(path)) return 'not of the page';
      if (path !== '/' && isFile(join(folder, path))) return sendFile(reply, folder, path);
      // A file that is not there, or an address that a program asked for.
      if (extname(path) !== '') return 'not of the page';
      if (path !== '/' && !accepts(request)) return 'not of the page';
      return isFile(join(folder, DOCUMENT))
        ? sendFile(reply, folder, `/${DOCUMENT}`)
        : sendNotBuilt(reply);
    },
  };
}

function sendFile(reply: FastifyReply, folder: string, path: string): FastifyReply {
  return reply
    .header('cache-control', HASHED.test(path) ? FOR_EVER : ASK_FIRST)
    .header('content-security-policy', POLICY)
    .sendFile(path.slice(1), folder);
}

function sendNotBuilt(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .header('cache-control', 'no-store')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    .type('text/html; charset=utf-8')
    .send(NOT_BUILT);
}

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>mmrace: the page is not built</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root { color-scheme: light dark; font: 18px/1.5 system-ui, sans-serif }
main { max-width: 36rem; margin: 10vh auto; padding: 0 1rem }</style></head>
<body><main><h1>The page is not built</h1>
<p>The server runs; only its page is missing. In the folder of mmrace, run</p>
<pre>npm run build</pre>
<p>and load this address again. Nothing has to be restarted.</p>
<p>Without the page: <a href="/docs">/docs</a>, or <code>npx mmrace observe --lab demo</code>.</p>
</main></body></html>
`;

/** Without the query and decoded; 'bad' if it cannot be, or leads out of the folder. */
function pathOf({ url }: FastifyRequest): string | 'bad' {
  try {
    const path = decodeURIComponent(url.split('?')[0] ?? '');
    return path.split(/[/\\]/).includes('..') || path.includes('\0') ? 'bad' : path;
  } catch {
    return 'bad';
  }
}

function accepts({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function pageFolder(): string {
  const folders = FOLDERS.map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  return folders.find((folder) => isFile(join(folder, DOCUMENT))) ?? (folders[0] as string);
}
