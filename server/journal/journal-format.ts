/**
 * A journal is the inbound log of one machine as JSON lines: a header, then for each inbound event one line before
 * the machine takes it and one after, and a line when the lab is closed in order. Pages are base64. Between them stand
 * the lines of lab-lines.ts, which a later server needs and the machine does not.
 *
 * In a file each line ends with `"sum"`, the CRC-32 of its text behind that of the line before: a digit that changed, a
 * line that is gone and one that is there twice are all seen. A later server goes on in the same file; nothing is ever
 * written but at its end.
 */
import { type Static, Type } from 'typebox';
import { strict, word } from '../abi/scalars.ts';

export const JOURNAL_FORMAT = 'mmrace-journal';
/** Grows when older readers could not make sense of a file. */
export const JOURNAL_VERSION = 3;

const count = Type.Integer({ minimum: 0 });
const actor = Type.String();
const contents = Type.Array(Type.String());
const method = Type.String();

export const JournalHeader = strict({
  format: Type.Literal(JOURNAL_FORMAT),
  version: Type.Integer({ minimum: 1 }),
  model: strict({ hash: Type.String(), version: Type.String() }),
  lab: Type.String(),
  /** A MachineConfig: see machine/machine-config.ts. */
  config: Type.Object({ patch: Type.String(), kernel: Type.Optional(Type.String()) }),
  /** Counts the machines of the lab from 0. Absent: 0. */
  generation: Type.Optional(count),
});
export type JournalHeader = Static<typeof JournalHeader>;

const params = Type.Unknown();
const id = Type.Integer();
/** As the client has numbered or named it. */
export const requestId = Type.Union([id, Type.String()]);
const outcome = Type.Union([
  Type.Object({ ok: Type.Literal(true), result: Type.Unknown() }),
  Type.Object({ ok: Type.Literal(false), errno: Type.String() }),
]);

/** An Inbound, with pages as base64. */
export const StoredInbound = Type.Union([
  strict({ kind: Type.Literal('attach'), actor, role: word('device', 'cpu') }),
  strict({ kind: Type.Literal('detach'), actor }),
  strict({ kind: Type.Literal('fence'), actor }),
  strict({ kind: Type.Literal('request'), actor, id: requestId, method, params, contents }),
  strict({ kind: Type.Literal('notify'), actor, method, params, contents }),
  strict({ kind: Type.Literal('answer'), actor, id, outcome }),
  strict({ kind: Type.Literal('pause') }),
  strict({ kind: Type.Literal('resume') }),
  strict({
    kind: Type.Literal('step'),
    task: Type.Union([Type.Integer({ minimum: 1 }), Type.Literal('next')]),
  }),
]);
export type StoredInbound = Static<typeof StoredInbound>;

/** A resume token by its hash, so that a recording can be shown to others. */
export const SessionKey = strict({ hash: Type.String(), epoch: Type.Integer({ minimum: 1 }) });
export type SessionKey = Static<typeof SessionKey>;

/** `n` counts inbound events from 1. */
export const EntryLine = strict({
  n: Type.Integer({ minimum: 1 }),
  inbound: StoredInbound,
  /** Of the client's frame that it was, or of the hello that attached the client. */
  seq: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Of the session that begins with this `attach`. */
  key: Type.Optional(SessionKey),
});
/** After entry `n`: how many events there were in all, and the digest over them. */
export const SettledLine = strict({
  n: Type.Integer({ minimum: 1 }),
  events: count,
  digest: Type.String(),
});
/** `state` names the final state of the machine. */
export const EndLine = strict({
  end: count,
  events: count,
  digest: Type.String(),
  state: Type.String(),
});

export type EntryLine = Static<typeof EntryLine>;
export type SettledLine = Static<typeof SettledLine>;
export type EndLine = Static<typeof EndLine>;
