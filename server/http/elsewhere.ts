/** Requests about labs of other servers are sent there; those about labs that stand still are not kept waiting. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Elsewhere } from '../live/elsewhere.ts';
import type { Labs } from '../live/labs.ts';
import { bodyOf, HttpFailure } from './http-failure.ts';
import type { JoinBy } from './lab-view.ts';

const MISDIRECTED = 421;

/** Throws in a hook: HttpFailure. */
export function sendElsewhere(
  app: FastifyInstance,
  labs: Labs,
  elsewhere: Elsewhere,
  joinBy: JoinBy,
): void {
  app.addHook('onRequest', async (request, reply) => {
    const page = pageIn(request);
    const named = page === 'no lab' ? labIn(request.url) : page;
    if (named === 'no lab') return;
    if (page === 'no lab' && elsewhere.stalled() !== 'none')
      throw new HttpFailure('stalled', elsewhere.stalled());
    const here = joinBy === 'code' ? labs.withCode(named) : labs.find(named);
    // A lab's own name does where its presenter asks, and leads nowhere else.
    if (named === '' || here !== 'none' || labs.get(named) !== 'none') return;
    const where = await elsewhere.find(named, 'never');
    switch (where.state) {
      case 'here':
      case 'unknown':
        return;
      case 'restoring':
      case 'stalled':
        // The page says so itself.
        if (page !== 'no lab') return;
        throw new HttpFailure(where.state, `lab: ${named}`);
      case 'elsewhere':
        if (isOfPage(request)) return sendPage(request, reply, where.address, named);
        reply.header('location', `${where.address}${request.url}`);
        throw new HttpFailure('moved', where.address);
    }
  });
}

/** A page may not follow an answer to another server: it is told, and goes there itself. */
function sendPage(
  { url }: FastifyRequest,
  reply: FastifyReply,
  address: string,
  lab: string,
): FastifyReply {
  const view = url.startsWith('/api/join/') ? 'join' : 'lab';
  return reply
    .code(MISDIRECTED)
    .header('location', `${address}/${view}/${encodeURIComponent(lab)}`)
    .send(bodyOf(new HttpFailure('moved', address)));
}

/** Whether the code of a page of this server asks, and not a person's browser for the page. */
function isOfPage({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-mode'] === 'cors';
}

/** The lab of a page that a browser asks for: see clients/web/route.ts. */
function pageIn({ url, headers }: FastifyRequest): string | 'no lab' {
  if (headers.accept?.includes('text/html') !== true) return 'no lab';
  const [, view, name = ''] = (url.split('?')[0] ?? '').split('/');
  if ((view !== 'lab' && view !== 'join') || name === '') return 'no lab';
  return decoded(name);
}

/** The lab that a request is about; empty if it is about all. */
function labIn(url: string): string | 'no lab' {
  const [, api, room, name = ''] = (url.split('?')[0] ?? '').split('/');
  if (api !== 'api' || (room !== 'labs' && room !== 'join')) return 'no lab';
  return decoded(name);
}

function decoded(name: string): string | 'no lab' {
  try {
    return decodeURIComponent(name);
  } catch {
    return 'no lab';
  }
}
