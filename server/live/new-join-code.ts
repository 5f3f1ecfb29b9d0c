import { randomInt } from 'node:crypto';
import { JOIN_CODE_CHARS, JOIN_CODE_LETTERS } from '../protocol/join-code.ts';

/** A code that `taken` does not know. With LABS_MAX labs of 24^5 codes the first is free all but always. */
export function newJoinCode(taken: (code: string) => boolean): string {
  for (;;) {
    const code = Array.from(
      { length: JOIN_CODE_CHARS },
      () => JOIN_CODE_LETTERS[randomInt(JOIN_CODE_LETTERS.length)],
    ).join('');
    if (!taken(code)) return code;
  }
}
