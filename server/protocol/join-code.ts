/** Join codes: short names of labs, to be read from a screen across a room and typed with one thumb. */
import { Type } from 'typebox';

/** None of these looks like another, and without vowels no code is a word. */
export const JOIN_CODE_LETTERS = 'BCDFGHJKMNPQRTVWXY346789';
export const JOIN_CODE_CHARS = 5;

export const joinCode = Type.String({
  pattern: `^[${JOIN_CODE_LETTERS}${JOIN_CODE_LETTERS.replace(/\d/g, '').toLowerCase()}]{${JOIN_CODE_CHARS}}$`,
  description: `a join code: ${JOIN_CODE_CHARS} of ${JOIN_CODE_LETTERS}, in upper or lower case`,
});

/** As it is kept and shown. Any other text comes back in upper case, and is the code of no lab. */
export function canonicalJoinCode(text: string): string {
  return text.toUpperCase();
}

/** A lab of such a name could be mistaken for a code. */
export function looksLikeJoinCode(text: string): boolean {
  if (text.length !== JOIN_CODE_CHARS) return false;
  return [...canonicalJoinCode(text)].every((letter) => JOIN_CODE_LETTERS.includes(letter));
}
