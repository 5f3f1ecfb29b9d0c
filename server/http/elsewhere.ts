/** Requests about labs of other servers are sent there; those about labs that stand still are not kept waiting. */
import type { FastifyInstance } from 'fastify';
import type { Elsewhere } from '../live/elsewhere.ts';
import type { Labs } from '../live/labs.ts';
import { HttpFailure } from './http-failure.ts';
import type { JoinBy } from './lab-view.ts';

/** Throws in a hook: HttpFailure. */
export function sendElsewhere(
  app: FastifyInstance,
  labs: Labs,
  elsewhere: Elsewhere,
  joinBy: JoinBy,
): void {
  app.addHook('onRequest', async (request, reply) => {
    const named = labIn(request.url);
    if (named === 'no lab') return;
    if (elsewhere.stalled() !== 'none') throw new HttpFailure('stalled', elsewhere.stalled());
    const here = joinBy === 'code' ? labs.withCode(named) : labs.find(named);
    // A lab's own name does where its presenter asks, and leads nowhere else.
    if (named === '' || here !== 'none' || labs.get(named) !== 'none') return;
    const where = await elsewhere.find(named, 'never');
    switch (where.state) {
      case 'here':
      case 'unknown':
        return;
      case 'restoring':
        throw new HttpFailure('restoring', `lab: ${named}`);
      case 'stalled':
        throw new HttpFailure('stalled', '');
      case 'elsewhere':
        reply.header('location', `${where.address}${request.url}`);
        throw new HttpFailure('moved', where.address);
    }
  });
}

/** The lab that a request is about; empty if it is about all. */
function labIn(url: string): string | 'no lab' {
  const [, api, room, name = ''] = (url.split('?')[0] ?? '').split('/');
  if (api !== 'api' || (room !== 'labs' && room !== 'join')) return 'no lab';
  try {
    return decodeURIComponent(name);
  } catch {
    return 'no lab';
  }
}
