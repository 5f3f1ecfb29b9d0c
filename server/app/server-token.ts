import { readFileSync } from 'node:fs';
import { tokenFailure } from './start-failure.ts';

/** A shorter one could be tried out. */
const TOKEN_CHARS_MIN = 16;

/** The token in `file`: one line. Throws: StartFailure. */
export function serverToken(file: string | 'none'): string | undefined {
  if (file === 'none') return undefined;
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw tokenFailure(file, error instanceof Error ? error.message : String(error));
  }
  if (new RegExp(`^\\S{${TOKEN_CHARS_MIN},}$`).test(token)) return token;
  throw tokenFailure(file, `a token is one word of at least ${TOKEN_CHARS_MIN} characters`);
}
