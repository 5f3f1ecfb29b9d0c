/**
 * What a journal has of a lab beside what its machine takes: how it is driven, and what its sessions said and heard
 * that the machine did not. With it another server knows each client as this one did. The frames that the machine sends
 * are not in it, since they follow from the inbound events.
 */
import { type Static, Type } from 'typebox';
import { strict, word } from '../abi/scalars.ts';
import { requestId, SessionKey } from './journal-format.ts';

const actor = Type.String();
const seq = Type.Integer({ minimum: 0 });
const method = Type.String();
const params = Type.Unknown();
/** Numbers are the machine's, on the wire; strings the conductor's. */
const questionId = Type.Union([Type.Integer(), Type.String()]);

/**
 * A client came back: from now on this key is good. It has shown the key of epoch `shown`, which is not in older
 * recordings: those before that one are void.
 */
export const ResumedLine = strict({
  resumed: strict({ actor, key: SessionKey, shown: Type.Optional(Type.Integer({ minimum: 1 })) }),
});
export type ResumedLine = Static<typeof ResumedLine>;
/** A frame of the client took a number and did not go to the machine. */
export const TookLine = strict({
  took: strict({
    actor,
    seq,
    told: Type.Optional(strict({ method, params })),
    answered: Type.Optional(questionId),
  }),
});
/** A frame to the client that did not come from the machine. */
export const SentLine = strict({
  sent: strict({
    actor,
    seq,
    ask: Type.Optional(strict({ id: questionId, method, params })),
    refuse: Type.Optional(strict({ id: Type.Union([requestId, Type.Null()]), refusal: params })),
    tell: Type.Optional(strict({ method, params })),
    pong: Type.Optional(strict({ id: requestId, result: params })),
  }),
});
/** The session is over: the client left, or its grace is over. */
export const OverLine = strict({ over: strict({ actor }) });
export const SlowLine = strict({ slow: strict({ actor, ms: Type.Number() }) });
export const ControlLine = strict({
  control: strict({
    paused: Type.Boolean(),
    locked: Type.Boolean(),
    speed: Type.Union([Type.Literal('full'), Type.Number({ exclusiveMinimum: 0 })]),
    // Older recordings have none of these. See LabControl in protocol/lab-control.ts.
    cast: Type.Optional(Type.Record(Type.String(), Type.String())),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    shows: Type.Optional(word('race', 'code')),
  }),
});

/** A whole session, where a machine begins under clients that are there already. */
export const SessionState = strict({
  actor,
  role: word('device', 'cpu'),
  /** The one that is good now last; before it those that are good still. */
  keys: Type.Array(SessionKey, { minItems: 1 }),
  received: seq,
  /** The `seq` of the last frame to the client, and the last frames: text, or base64 of a binary one. */
  sent: seq,
  frames: Type.Array(Type.Union([Type.String(), strict({ binary: Type.String() })])),
  requests: Type.Array(requestId),
  questions: Type.Array(strict({ id: questionId, method, seq })),
  state: word('attached', 'resetting'),
  fenced: Type.Boolean(),
  holding: seq,
  slowMs: Type.Number(),
});
export type SessionState = Static<typeof SessionState>;
export const SessionsLine = strict({ sessions: Type.Array(SessionState) });

/** By the field that each of them has alone. */
export const LAB_LINES = {
  resumed: ResumedLine,
  took: TookLine,
  sent: SentLine,
  over: OverLine,
  slow: SlowLine,
  control: ControlLine,
  sessions: SessionsLine,
} as const;

export type LabLine =
  | ResumedLine
  | Static<typeof TookLine>
  | Static<typeof SentLine>
  | Static<typeof OverLine>
  | Static<typeof SlowLine>
  | Static<typeof ControlLine>
  | Static<typeof SessionsLine>;
