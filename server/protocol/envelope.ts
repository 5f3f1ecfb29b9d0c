/**
 * JSON-RPC 2.0 with one member more: `seq`, which numbers the frames of a direction 1, 2, 3 ... for the life of
 * a session (a resume goes on counting). A frame that carries pages is the same object in a binary frame.
 *
 * Clients number their requests with whole numbers, or name them with strings. The server's questions have
 * numbers (the kernel's) or strings (the conductor's); an answer repeats the id as it came.
 */
import { type Static, Type } from 'typebox';
import { strict, word } from '../abi/scalars.ts';
import { ERRNO_NUMBER, type Errno } from '../vocabulary/errno.ts';
import { sequence } from './wire-values.ts';

const jsonrpc = Type.Literal('2.0');
const seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const method = Type.String({ maxLength: 64 });
const questionId = Type.Union([sequence, Type.String({ maxLength: 32 })]);
export const REQUEST_ID_CHARS_MAX = 64;
const requestId = Type.Union([sequence, Type.String({ maxLength: REQUEST_ID_CHARS_MAX })], {
  description: `a whole number from 0, or a string of at most ${REQUEST_ID_CHARS_MAX} characters`,
});

/** Of a client's request, as the client has numbered or named it. */
export type RequestId = Static<typeof requestId>;

/** `data` of every error. `path` and `bound` may be empty where there is nothing to point at. */
export const ErrorData = Type.Object({
  errno: word(...(Object.keys(ERRNO_NUMBER) as Errno[])),
  code: Type.String({ description: 'a word of the table of error codes' }),
  path: Type.String({ description: 'which part of the frame is wrong: params.range.end' }),
  bound: Type.String({ description: 'what would be right: completes "expected ..."' }),
  found: Type.Optional(
    Type.String({
      description: 'what came instead, shortened; `nothing` for a part that is missing',
    }),
  ),
  seq: Type.Optional(
    Type.Integer({ description: 'the seq of the frame that is refused, if it was no request' }),
  ),
  question: Type.Optional(questionId),
  address: Type.Optional(
    Type.String({ description: 'of moved: where the server that has the lab takes WebSockets' }),
  ),
  remedy: Type.String({ description: 'what to do, as a sentence' }),
  definite: Type.Boolean({
    description:
      'true: it has not happened and never will. false: it may have; look before you ask again.',
  }),
});
export type ErrorData = Static<typeof ErrorData>;

/** `data` is required of the server and welcome from clients. */
export const RpcError = Type.Object({
  code: Type.Integer({ description: 'The number of the error code.' }),
  message: Type.String({ description: 'what is wrong, as a sentence' }),
  data: Type.Optional(Type.Partial(ErrorData)),
});
export type RpcError = Static<typeof RpcError>;

/** What a client sends. `params` and `result` are checked against the method. */
export const ClientRequest = strict({
  jsonrpc,
  seq,
  id: requestId,
  method,
  params: Type.Unknown(),
});
export const ClientNotification = strict({ jsonrpc, seq, method, params: Type.Unknown() });
export const ClientAnswer = strict({ jsonrpc, seq, id: questionId, result: Type.Unknown() });
export const ClientErrorAnswer = strict({ jsonrpc, seq, id: questionId, error: RpcError });

/** What the server sends. An error that belongs to no request has the id null. */
export const ServerQuestionFrame = strict({
  jsonrpc,
  seq,
  id: questionId,
  method,
  params: Type.Unknown(),
});
export const ServerNotificationFrame = strict({ jsonrpc, seq, method, params: Type.Unknown() });
export const ServerAnswer = strict({ jsonrpc, seq, id: requestId, result: Type.Unknown() });
export const ServerErrorAnswer = strict({
  jsonrpc,
  seq,
  id: Type.Union([requestId, Type.Null()]),
  error: RpcError,
});

export type ClientRequest = Static<typeof ClientRequest>;
export type ClientNotification = Static<typeof ClientNotification>;
export type ClientAnswer = Static<typeof ClientAnswer>;
export type ClientErrorAnswer = Static<typeof ClientErrorAnswer>;
export type ServerQuestionFrame = Static<typeof ServerQuestionFrame>;
export type ServerNotificationFrame = Static<typeof ServerNotificationFrame>;
export type ServerAnswer = Static<typeof ServerAnswer>;
export type ServerErrorAnswer = Static<typeof ServerErrorAnswer>;
