import type { Errno } from '../vocabulary/errno.ts';
import type { RpcError } from './envelope.ts';
import { CODE_OF_ERRNO, ERROR_CODES, type ErrorCodeName } from './error-codes.ts';

/** Why a frame or a request is not served: what is wrong, where, and within which bound it would be right. */
export interface Refusal {
  readonly ok: false;
  readonly errno: Errno;
  readonly code: ErrorCodeName;
  /** `params.range.end`; empty if the refusal is not about a part of the frame. */
  readonly path: string;
  /** Completes "expected ...". */
  readonly bound: string;
  /** What came instead, shortened. Absent where nothing did, or it does not matter. */
  readonly found?: string;
  /** Of the server that has the lab. */
  readonly address?: string;
  /** Which frame was refused, where no id says so: a notification, an answer. */
  readonly frame?: RefusedFrame;
}

export interface RefusedFrame {
  readonly seq: number;
  /** Of the question that it answered. */
  readonly question?: number | string;
}

export function refuse(
  code: ErrorCodeName,
  path: string,
  bound: string,
  more: Pick<Refusal, 'found' | 'address'> = {},
): Refusal {
  return { ok: false, errno: ERROR_CODES[code].errno, code, path, bound, ...more };
}

/** What a kernel function answered, in the words of the wire. `subject` comes from the method's RequestSpec. */
export function kernelRefusal(errno: Errno, subject: string): Refusal {
  const code = CODE_OF_ERRNO[errno];
  return { ok: false, errno, code, path: subject, bound: ERROR_CODES[code].meaning };
}

/** `params.range.end: expected a whole number from 1 to 34359738368`. */
export function refusalText(refusal: Refusal): string {
  const entry = ERROR_CODES[refusal.code];
  if (refusal.path === '') return entry.meaning;
  if (refusal.bound === entry.meaning) return `${refusal.path}: ${refusal.errno}: ${entry.meaning}`;
  const found = refusal.found === undefined ? '' : `, got ${refusal.found}`;
  return `${refusal.path}: expected ${refusal.bound}${found}`;
}

/** The error object of the wire. */
export function rpcError(refusal: Refusal): RpcError {
  const { jsonrpc, definite, remedy } = ERROR_CODES[refusal.code];
  return {
    code: jsonrpc,
    message: refusalText(refusal),
    data: {
      errno: refusal.errno,
      code: refusal.code,
      path: refusal.path,
      bound: refusal.bound,
      ...(refusal.found === undefined ? {} : { found: refusal.found }),
      ...(refusal.address === undefined ? {} : { address: refusal.address }),
      ...refusal.frame,
      remedy,
      definite,
    },
  };
}
