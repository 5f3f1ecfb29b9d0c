/**
 * The first request of every client; a second one is refused. A lost connection is resumed by a hello with
 * `resume`: the token is checked before anything else, and a wrong one changes nothing. Every accepted hello has
 * a new epoch; a connection of an older one is closed (4004 superseded).
 *
 * Numbering: a fresh hello and its answer are the first frames of their directions; what follows counts on from
 * their seq. A hello that resumes and its answer stand outside the numbering, which goes on as if they were not
 * there; their seq is not looked at.
 *
 * A session ends at once when the client closes with 1000 or 1001; with anything else it can be resumed.
 */
import { type Static, Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { described, name, strict, word } from '../abi/scalars.ts';
import { LabSnapshot } from './lab-snapshot.ts';
import { SUBPROTOCOL } from './limits.ts';
import type { RequestTable } from './request-spec.ts';
import { sequence } from './wire-values.ts';

/** As the name in a hello: the lab gives the client one. */
export const AUTO_NAME = 'auto';

export const Resume = strict({
  token: Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'the resumeToken of the last hello',
  }),
  epoch: Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'The epoch of the last hello.',
  }),
  since: described(
    sequence,
    'The seq of the last frame of the server that arrived; what came after it is sent again.',
  ),
});

export const HelloParams = strict({
  protocol: Type.Literal(SUBPROTOCOL),
  lab: name,
  role: described(
    word('device', 'cpu', 'observer'),
    'What you are: a device, a CPU thread, or an observer.',
  ),
  /** Unique among the actors of the lab, or AUTO_NAME. An observer's may be anything. */
  name,
  mm: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 0,
      description: prose(`
        The address space that a device mirrors or a CPU runs in: only 0 so far, the first process. The thread of
        a forked child is entered by the name that the fork gave it.
      `),
    }),
  ),
  create: Type.Optional(
    Type.Boolean({
      description: 'true: a lab of this name is opened if there is none. Not for observers.',
    }),
  ),
  takeOver: Type.Optional(
    Type.Boolean({
      description: prose(`
        true: if the session of this name has been without a connection for leaseMs, it ends, and the name is yours.
      `),
    }),
  ),
  resume: Type.Optional(
    described(Resume, 'To come back to a session. Without it, the session is a fresh one.'),
  ),
});
export type HelloParams = Static<typeof HelloParams>;

export const HelloResult = strict({
  lab: name,
  actor: described(name, 'your name in the lab, also if the hello left it to the lab'),
  epoch: Type.Integer({ minimum: 1, description: 'Counts the hellos of the session.' }),
  resumeToken: Type.String({ description: 'a secret; good for one resume' }),
  session: described(
    word('fresh', 'resumed'),
    'resumed: what you held is still yours. fresh: you hold nothing.',
  ),
  received: described(
    sequence,
    'The seq of your last frame that arrived; send what came after it again.',
  ),
  state: described(
    word('attached', 'fenced'),
    'fenced: you were, while you were away or before. You are attached again; what you mapped is void.',
  ),
  leaseMs: Type.Integer({
    description:
      'Milliseconds that a question of the kernel may stay without an answer. Then you are fenced.',
  }),
  graceMs: Type.Integer({
    description: 'Milliseconds after a lost connection during which the session can be resumed.',
  }),
  heartbeatMs: Type.Integer({
    description: 'Milliseconds between two WebSocket pings of the server. Answer them.',
  }),
  others: Type.Optional(
    Type.Array(Type.String(), {
      description: prose(`
        Where other servers that keep the same labs take WebSockets. If this one is gone, say your next hello to them:
        one of them has the lab, or knows which has.
      `),
    }),
  ),
  model: strict({
    hash: Type.String({ description: 'the hash of the kernel model that the server runs' }),
    version: Type.String({ description: 'the version of the server' }),
  }),
  snapshot: Type.Optional(described(LabSnapshot, 'Observers only: the lab as it is now.')),
});
export type HelloResult = Static<typeof HelloResult>;

export const SESSION_REQUESTS = {
  hello: {
    meaning: prose(`
      The first request on every connection: joins a lab, or resumes a session. A refused hello changes nothing, and
      may be said again on the same connection. lab is the lab's name, or its join code in upper or lower case. A
      name that no lab has is refused, with the nearest one; with create it opens a lab, unless the server was told
      not to: a device or a CPU may, an observer never. name is unique among the actors of the lab; an
      observer's may be anything. "${AUTO_NAME}" is the next free name of the role: a part of the lab's scenario that
      has no client yet, else dev0, dev1, ... or cpu0, cpu1, ...; the answer has it as actor, and a resume says
      that. A server of another version of the protocol refuses params.protocol.
    `),
    errors: [
      'bad-frame',
      'bad-envelope',
      'hello-first',
      'bad-params',
      'no-such-lab',
      'too-many-labs',
      'lab-full',
      'name-taken',
      'bad-resume',
      'resume-too-old',
      'going',
      'moved',
      'stalled',
    ],
    params: HelloParams,
    result: HelloResult,
    sends: 'no-pages',
    answers: 'no-pages',
    subject: 'params',
  },
} as const satisfies RequestTable;
