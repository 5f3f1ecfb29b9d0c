/** The secret that proves that a client is the one that held a session. */
import { randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 18;

export function newResumeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Takes the same time whatever differs. */
export function sameToken(known: string, offered: string): boolean {
  const a = Buffer.from(known);
  const b = Buffer.from(offered);
  return a.length === b.length && timingSafeEqual(a, b);
}
