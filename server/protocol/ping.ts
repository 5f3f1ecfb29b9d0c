/** What every client may ask, whatever its role, beside hello. */
import { Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { nothing, strict, word } from '../abi/scalars.ts';
import type { RequestTable } from './request-spec.ts';
import { sequence } from './wire-values.ts';

const seq = (description: string) => ({ ...sequence, description });

export const PING_REQUESTS = {
  ping: {
    meaning: prose(`
      Is the server there, and what does it know of you? Answered at once, also while the lab is paused. It counts as no
      sign of life of a device: what you are asked, and what you hold, has its lease all the same. For clients that
      cannot send WebSocket pings: browsers.
    `),
    errors: [],
    params: nothing,
    result: strict({
      received: seq('The seq of your last frame that arrived: this one.'),
      sent: seq('The seq of the last frame that was sent to you before this answer.'),
      state: word('attached', 'fenced'),
      leaseLeftMs: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
        description: prose(`
          Milliseconds until you are fenced, because a question of the kernel is without an answer, or others wait for
          what you hold. null: the kernel waits for nothing of yours.
        `),
      }),
    }),
    sends: 'no-pages',
    answers: 'no-pages',
    subject: 'params',
  },
} as const satisfies RequestTable;

export type Pong = Type.Static<(typeof PING_REQUESTS)['ping']['result']>;
