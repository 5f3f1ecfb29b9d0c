/** What arrives from the server, parsed once. Afterwards everybody believes it. */
import { decodeBinaryFrame } from '../../server/protocol/binary-frame.ts';
import type { RequestId } from '../../server/protocol/envelope.ts';
import {
  type RpcError,
  ServerAnswer,
  ServerErrorAnswer,
  ServerNotificationFrame,
  ServerQuestionFrame,
} from '../../server/protocol/envelope.ts';
import { compileCheck } from '../../server/protocol/validators.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';

/** Numbers are the kernel's questions, strings the conductor's. */
export type ServerQuestionId = number | string;

export type ServerFrame = { readonly seq: number } & (
  | {
      readonly kind: 'answer';
      readonly id: RequestId;
      readonly result: unknown;
      readonly pages: readonly PageContents[];
    }
  /** `id` is 'none' if the error belongs to no request. */
  | { readonly kind: 'refusal'; readonly id: RequestId | 'none'; readonly error: RpcError }
  | {
      readonly kind: 'question';
      readonly id: ServerQuestionId;
      readonly method: string;
      readonly params: unknown;
    }
  | {
      readonly kind: 'notification';
      readonly method: string;
      readonly params: unknown;
      readonly pages: readonly PageContents[];
    }
);

/** Not a frame: `bound` completes "expected ...". */
export interface NotAFrame {
  readonly kind: 'nonsense';
  readonly bound: string;
}

const ANSWER = compileCheck(ServerAnswer);
const REFUSAL = compileCheck(ServerErrorAnswer);
const QUESTION = compileCheck(ServerQuestionFrame);
const NOTIFICATION = compileCheck(ServerNotificationFrame);

const NO_PAGES: readonly PageContents[] = [];

/** Parses one WebSocket message: text, or binary with pages behind the text. */
export function parseServerFrame(message: string | Uint8Array): ServerFrame | NotAFrame {
  if (typeof message === 'string') return parseText(message, NO_PAGES);
  const binary = decodeBinaryFrame(message);
  return 'bound' in binary
    ? { kind: 'nonsense', bound: binary.bound }
    : parseText(binary.json, binary.pages);
}

function parseText(text: string, pages: readonly PageContents[]): ServerFrame | NotAFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'nonsense', bound: 'one JSON object' };
  }
  if (typeof value !== 'object' || value === null) {
    return { kind: 'nonsense', bound: 'one JSON object' };
  }
  return frameOf(value, pages);
}

function frameOf(value: object, pages: readonly PageContents[]): ServerFrame | NotAFrame {
  if ('result' in value) {
    if (!ANSWER.accepts(value)) return { kind: 'nonsense', bound: 'a JSON-RPC answer with seq' };
    const { seq, id, result } = value as ServerAnswer;
    return { kind: 'answer', seq, id, result, pages };
  }
  if ('error' in value) {
    if (!REFUSAL.accepts(value)) return { kind: 'nonsense', bound: 'a JSON-RPC error with seq' };
    const { seq, id, error } = value as ServerErrorAnswer;
    return { kind: 'refusal', seq, id: id ?? 'none', error };
  }
  if ('id' in value) {
    if (!QUESTION.accepts(value)) return { kind: 'nonsense', bound: 'a JSON-RPC request with seq' };
    const { seq, id, method, params } = value as ServerQuestionFrame;
    return { kind: 'question', seq, id, method, params };
  }
  if (!NOTIFICATION.accepts(value)) {
    return { kind: 'nonsense', bound: 'a JSON-RPC notification with seq' };
  }
  const { seq, method, params } = value as ServerNotificationFrame;
  return { kind: 'notification', seq, method, params, pages };
}
