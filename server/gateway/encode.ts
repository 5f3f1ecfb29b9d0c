/** Frames of the server as text. By hand where JSON.stringify of the whole would only copy. */

import type { QuestionId } from '../live/lab-actor.ts';
import type { RequestId } from '../protocol/envelope.ts';
import type { ErrorCodeName } from '../protocol/error-codes.ts';
import { kernelRefusal, type Refusal, rpcError } from '../protocol/refusal.ts';
import type { Errno } from '../vocabulary/errno.ts';

export type AnyOutcome =
  | { readonly ok: true; readonly result: unknown }
  | Refusal
  | { readonly ok: false; readonly errno: Errno };

/** `id` is null for an error that belongs to no request. */
export function answerText(seq: number, id: RequestId | null, outcome: AnyOutcome): string {
  const shown = typeof id === 'string' ? JSON.stringify(id) : id;
  if (outcome.ok) {
    return `{"jsonrpc":"2.0","seq":${seq},"id":${shown},"result":${JSON.stringify(outcome.result)}}`;
  }
  const error = JSON.stringify(rpcError(refusalOf(outcome)));
  return `{"jsonrpc":"2.0","seq":${seq},"id":${shown},"error":${error}}`;
}

/** `params` is JSON text here and in notificationText(). */
export function questionText(seq: number, id: QuestionId, method: string, params: string): string {
  const shown = typeof id === 'number' ? id : JSON.stringify(id);
  return `{"jsonrpc":"2.0","seq":${seq},"id":${shown},"method":"${method}","params":${params}}`;
}

export function notificationText(seq: number, method: string, params: string): string {
  return `{"jsonrpc":"2.0","seq":${seq},"method":"${method}","params":${params}}`;
}

export function refusalOf(outcome: Exclude<AnyOutcome, { ok: true }>): Refusal {
  return 'code' in outcome ? outcome : kernelRefusal(outcome.errno, 'params');
}

/** For counting. */
export function codeOf(outcome: Exclude<AnyOutcome, { ok: true }>): ErrorCodeName {
  return refusalOf(outcome).code;
}
