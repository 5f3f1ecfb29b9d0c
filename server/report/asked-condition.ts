import type { Failure } from '../explorer/failure.ts';
import type { LitmusResult } from './litmus.ts';

/**
 * What a failing execution fulfils, as the condition of an outcome block: the scenario's own where that has failed, or
 * that an oracle has reported a violation.
 */
export function askedBy(failure: Failure | 'none'): Pick<LitmusResult, 'quantifier' | 'condition'> {
  if (failure === 'none' || failure.kind !== 'condition') {
    return { quantifier: 'exists', condition: 'violation' };
  }
  return {
    quantifier: failure.how === 'forbidden' ? '~exists' : 'exists',
    condition: herdWords(failure.condition),
  };
}

/** `cpu0.r0 = 1 and not stuck` in the spelling of litmus tests: `cpu0:r0=1 /\\ ~stuck`. */
export function herdWords(text: string): string {
  return text
    .replaceAll(/\b([A-Za-z][\w-]*)\.([A-Za-z]\w*)\s*=\s*/g, '$1:$2=')
    .replaceAll(/\s+and\s+/g, ' /\\ ')
    .replaceAll(/\s+or\s+/g, ' \\/ ')
    .replaceAll(/\bnot\s+/g, '~');
}
