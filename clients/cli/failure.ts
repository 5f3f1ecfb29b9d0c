import { CommanderError } from 'commander';
import { BadInput } from '../../server/vocabulary/bad-input.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** The caller gave something that cannot be used. The message names it, and file and line where it has them. */
export class UsageError extends BadInput {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** A server is not there or does not want this client, or a program is missing. The command line was not wrong. */
export class Unavailable extends UsageError {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'Unavailable';
  }
}

export interface Failed {
  readonly exitCode: ExitCode;
  /** For stderr; empty if all has been said already. */
  readonly text: string;
}

/** What the process says and how it ends when a command throws `error`. */
export function failed(error: unknown): Failed {
  if (error instanceof CommanderError) {
    // Commander has printed its message, or the help or version that was asked for (its exit code 0).
    return { exitCode: error.exitCode === 0 ? EXIT.OK : EXIT.USAGE, text: '' };
  }
  if (error instanceof BadInput) {
    const exitCode = error instanceof Unavailable ? EXIT.UNAVAILABLE : EXIT.USAGE;
    return { exitCode, text: `mmrace: ${error.message}\n` };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: EXIT.INTERNAL, text: `mmrace: internal error\n${text}\n` };
}
