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
import Type, { type Static } from 'typebox';
import { LabSnapshot } from './lab-snapshot.ts';
import { SUBPROTOCOL } from './limits.ts';
import type { RequestTable } from './request-spec.ts';
import { name, sequence, strict, word } from './wire-values.ts';

export const Resume = strict({
  token: Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'the resumeToken of the last hello',
  }),
  epoch: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  /** The `seq` of the last frame of the server that arrived; what came after it is sent again. */
  since: sequence,
});

export const HelloParams = strict({
  protocol: Type.Literal(SUBPROTOCOL),
  lab: name,
  role: word('device', 'cpu', 'observer'),
  /** Unique among the actors of the lab. */
  name,
  /**
   * The address space that a device mirrors or a CPU runs in: only 0 so far, the first process. The thread of a
   * forked child is entered by the name that the fork gave it.
   */
  mm: Type.Optional(Type.Integer({ minimum: 0, maximum: 0 })),
  resume: Type.Optional(Resume),
});
export type HelloParams = Static<typeof HelloParams>;

export const HelloResult = strict({
  lab: name,
  actor: name,
  epoch: Type.Integer({ minimum: 1 }),
  /** Secret; good for one resume. */
  resumeToken: Type.String(),
  /** 'resumed': what you held is still yours. 'fresh': you hold nothing. */
  session: word('fresh', 'resumed'),
  /** The `seq` of your last frame that arrived; send what came after it again. 0 for a fresh session. */
  received: sequence,
  /** 'fenced': you were, while you were away or before. You are attached again; what you mapped is void. */
  state: word('attached', 'fenced'),
  leaseMs: Type.Integer(),
  graceMs: Type.Integer(),
  heartbeatMs: Type.Integer(),
  model: strict({ hash: Type.String(), version: Type.String() }),
  /** Observers only. */
  snapshot: Type.Optional(LabSnapshot),
});
export type HelloResult = Static<typeof HelloResult>;

export const SESSION_REQUESTS = {
  hello: {
    params: HelloParams,
    result: HelloResult,
    sends: 'no-pages',
    answers: 'no-pages',
    subject: 'params',
  },
} as const satisfies RequestTable;
