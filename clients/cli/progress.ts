/** How far a long command is: a line that changes on a terminal, else a line every ten seconds, on stderr. */

import { writeSync } from 'node:fs';

const TERMINAL_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;
const COLUMNS_UNKNOWN = 80;

export interface ProgressLine {
  /** `count` of the things are done; `note` says what else is worth knowing. */
  at(count: number, note?: string): void;
  /** Takes the line away. */
  end(): void;
}

export function newProgress(what: string): ProgressLine {
  const terminal = process.stderr.isTTY;
  const everyMs = terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
  let shownAt = performance.now();
  return {
    at: (count, note = '') => {
      const now = performance.now();
      if (now - shownAt < everyMs) return;
      shownAt = now;
      const line = `${count} ${what}${note === '' ? '' : `, ${note}`}`;
      writeAtOnce('stderr', terminal ? `\r\x1b[K${fitting(line)}` : `${line}\n`);
    },
    end: () => {
      if (terminal) writeAtOnce('stderr', '\r\x1b[K');
    },
  };
}

/** A line that wraps could not be taken back. */
function fitting(line: string): string {
  const columns = process.stderr.columns || COLUMNS_UNKNOWN;
  return line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
}

const DESCRIPTOR = { stdout: 1, stderr: 2 } as const;

/**
 * Writes a line that is not needed: it may be dropped where the reader is slow. Unlike a stream it has nothing left to
 * do when Ctrl-C ends the code that called it.
 */
export function writeAtOnce(where: keyof typeof DESCRIPTOR, text: string): void {
  try {
    writeSync(DESCRIPTOR[where], text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAGAIN' && code !== 'EPIPE') throw error;
  }
}
