import { FolderTaken } from '../journal/folder-lock.ts';
import type { ServerConfig } from './config.ts';

/** A server could not start because of its surroundings. The message is one sentence that says what to do. */
export class StartFailure extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StartFailure';
  }
}

/** Why `config` could not be listened with. Other errors stay as they are. */
export function listenFailure({ host, port }: ServerConfig, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartFailure(
        `port ${port} of ${host} is in use: choose another with --port or MMRACE_PORT, or end the program that has it`,
        error,
      );
    case 'EACCES':
      return new StartFailure(
        `port ${port} of ${host} is not yours to take: choose another with --port or MMRACE_PORT`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartFailure(
        `this machine has no address ${host}: choose another with --host or MMRACE_HOST`,
        error,
      );
    default:
      return error;
  }
}

/** Why nothing can be recorded into `directory`. Errors that are not the file system's stay as they are. */
export function recordingFailure(directory: string, error: unknown): unknown {
  if (error instanceof FolderTaken) {
    const text = `${error.message}: end that one, or choose another folder with --record or MMRACE_RECORD`;
    return new StartFailure(text, error);
  }
  if (codeOf(error) === 'none') return error;
  const why = error instanceof Error ? error.message : String(error);
  return new StartFailure(
    `nothing can be recorded into ${directory}: choose another folder with --record or MMRACE_RECORD (${why})`,
    error,
  );
}

export function nowhereToRestoreFrom(): StartFailure {
  const why = 'labs are restored from the folder of their recordings';
  return new StartFailure(`${why}: name it with --record or MMRACE_RECORD`, 'no folder');
}

/** Labs cannot be kept in Redis. What is secret in the address is not said. */
export function redisFailure(url: string, error: unknown): StartFailure {
  const why = error instanceof Error ? error.message : String(error);
  const address = url.replace(/\/\/[^/]*@/, '//');
  const remedy =
    'start one (redis-server --appendonly yes), or name another with --redis or MMRACE_REDIS';
  return new StartFailure(`${address} cannot keep labs: ${remedy} (${why})`, error);
}

/** What does not go together. */
export function redisConflict(what: string): StartFailure {
  return new StartFailure(what, 'configuration');
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'none';
}

/** The file of the token cannot be read, or has none. */
export function tokenFailure(file: string, why: string): StartFailure {
  return new StartFailure(`${file}: ${why}`, why);
}
