/** The token of a server that is not for everybody: from a file, or of its own making. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerConfig } from './config.ts';
import { tokenFailure } from './start-failure.ts';

/** A shorter one could be tried out. */
const TOKEN_CHARS_MIN = 16;
const TOKEN_BYTES = 18;

/** Whether only this machine reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/.test(host);
}

/** Whether whoever may start runs is trusted with code: by being on this machine, or by the token. */
export function ownCodeHere(host: string, token: string | 'none'): 'taken' | 'refused' {
  return token !== 'none' || isLoopback(host) ? 'taken' : 'refused';
}

/** Throws: StartFailure. */
export function serverToken({
  host,
  tokenFile,
}: Pick<ServerConfig, 'host' | 'tokenFile'>): string | 'none' {
  if (tokenFile === 'none') return 'none';
  if (tokenFile === 'by-host') {
    return isLoopback(host) ? 'none' : randomBytes(TOKEN_BYTES).toString('base64url');
  }
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw tokenFailure(tokenFile, error instanceof Error ? error.message : String(error));
  }
  if (new RegExp(`^\\S{${TOKEN_CHARS_MIN},}$`).test(token)) return token;
  throw tokenFailure(tokenFile, `a token is one word of at least ${TOKEN_CHARS_MIN} characters`);
}
