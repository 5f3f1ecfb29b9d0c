import type { RpcError } from '../../server/protocol/envelope.ts';
import { ERRNO_NUMBER, type Errno } from '../../server/vocabulary/errno.ts';

/** Why the server did not do what it was asked. */
export interface CallRefusal {
  readonly errno: Errno;
  /** A word of server/protocol/error-codes.ts. */
  readonly code: string;
  /** Which part of the request is wrong: `params.range.end`. Empty if it is not about a part. */
  readonly path: string;
  /** Completes "expected ...". */
  readonly bound: string;
  readonly remedy: string;
  /** 'definite': it has not happened and never will. 'indefinite': it may have; look before you ask again. */
  readonly certainty: 'definite' | 'indefinite';
  readonly message: string;
  /** Of `moved`: the server that has the lab. */
  readonly address?: string;
}

/** A refused request, where the caller has no way to take an errno. Thrown in the task that asked. */
export class CallRefused extends Error {
  readonly method: string;
  readonly refusal: CallRefusal;

  constructor(method: string, refusal: CallRefusal) {
    super(refusalSentence(method, refusal));
    this.name = 'CallRefused';
    this.method = method;
    this.refusal = refusal;
  }
}

/** `migrate_vma_setup: EINVAL: params.range: expected ... Ask for less.` */
export function refusalSentence(method: string, refusal: CallRefusal): string {
  return `${method}: ${refusal.errno}: ${sentences(refusal)}`;
}

/** What is wrong, and what to do. */
export function sentences({ message, remedy }: CallRefusal): string {
  if (remedy === '') return message;
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} ${remedy}`;
}

/** An error object of the wire as a value. What the server left out becomes EIO, unknown and indefinite. */
export function callRefusal(error: RpcError): CallRefusal {
  const data = error.data ?? {};
  return {
    errno: data.errno ?? 'EIO',
    code: data.code ?? 'internal',
    path: data.path ?? '',
    bound: data.bound ?? '',
    remedy: data.remedy ?? '',
    certainty: data.definite === true ? 'definite' : 'indefinite',
    message: error.message,
    ...(data.address === undefined ? {} : { address: data.address }),
  };
}

/** The code of what has no answer any more. */
export const SESSION_LOST = 'session-lost';

/** A refusal of our own: the session was lost or fenced before an answer came. */
export function localRefusal(
  errno: Errno,
  code: string,
  message: string,
  remedy: string,
): CallRefusal {
  const certainty = 'indefinite';
  return { errno, code, path: '', bound: '', remedy, certainty, message };
}

export function isErrno(word: unknown): word is Errno {
  return typeof word === 'string' && Object.hasOwn(ERRNO_NUMBER, word);
}
