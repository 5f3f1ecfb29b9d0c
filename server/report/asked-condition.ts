import type { LitmusResult } from './litmus.ts';

/**
 * What a failing execution fulfils, as the condition of an outcome block: the scenario's own where that has failed, or
 * that an oracle has reported a violation.
 */
export function askedBy(failure: string): Pick<LitmusResult, 'quantifier' | 'condition'> {
  const [, how, condition] = /^(forbidden|reached): (.*)$/s.exec(failure) ?? [];
  if (condition === undefined) return { quantifier: 'exists', condition: 'violation' };
  return {
    quantifier: how === 'forbidden' ? '~exists' : 'exists',
    condition: herdWords(condition),
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

/** Whether it was the scenario's condition that failed (or was reached), and no oracle. */
export function isCondition(failure: string): boolean {
  return /^(forbidden|reached): /.test(failure);
}
