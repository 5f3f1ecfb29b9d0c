/** Why a verb did not do what it was asked, as errno and sentence. */
import { CODE_OF_ERRNO, ERROR_CODES } from '../../../server/protocol/error-codes.ts';
import { CallRefused, isErrno, sentences } from '../../sdk/call-refusal.ts';
import { VerbRefused, type VerbResult } from '../../sdk/conductor.ts';
import type { AskedVerb } from './verb.ts';

export interface VerbFailure {
  readonly text: string;
  readonly result: VerbResult;
}

/** 'none' if the verb did what it was asked. */
export function failureOf(verb: AskedVerb, result: VerbResult): VerbFailure | 'none' {
  const { errno, signal } = result;
  if (typeof signal === 'string') return { text: `${signal}: ${signalSentence(signal)}`, result };
  if (typeof errno !== 'string' || errno === 'OK') return 'none';
  return { text: `${errno}: ${verb.errors?.[errno] ?? errnoSentence(errno)}`, result };
}

/** What was thrown instead of an answer. Rethrows what is a bug of ours. */
export function thrownFailure(error: unknown): VerbFailure {
  if (error instanceof CallRefused) {
    const { errno, code } = error.refusal;
    const result = { errno, code, method: error.method };
    return { text: `${errno}: ${error.method}: ${sentences(error.refusal)}`, result };
  }
  if (error instanceof VerbRefused) {
    return { text: `EINVAL: ${error.message}`, result: { errno: 'EINVAL', why: error.message } };
  }
  throw error;
}

function errnoSentence(errno: string): string {
  if (!isErrno(errno)) return 'the kernel refused';
  if (errno === 'EDEADLK') {
    return 'A page of it is in the migration that is open here: it would wait for itself. finalize comes first.';
  }
  const { meaning, remedy } = ERROR_CODES[CODE_OF_ERRNO[errno]];
  return `${meaning} ${remedy}`;
}

function signalSentence(signal: string): string {
  return signal === 'SIGBUS'
    ? 'the page is lost: it was in the memory of a device that is gone, or could not be brought back'
    : 'nothing is mapped there, or not with these rights; maps shows what is';
}
