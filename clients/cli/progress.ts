/** How far a long command is: a line that changes on a terminal, else a line every ten seconds, on stderr. */

const TERMINAL_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;

export interface Progress {
  /** `count` of the things are done; `note` says what else is worth knowing. */
  at(count: number, note?: string): void;
  /** Takes the line away. */
  end(): void;
}

export function newProgress(what: string): Progress {
  const terminal = process.stderr.isTTY;
  const everyMs = terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
  let toldAt = performance.now();
  return {
    at: (count, note = '') => {
      const now = performance.now();
      if (now - toldAt < everyMs) return;
      toldAt = now;
      const line = `${count} ${what}${note === '' ? '' : `, ${note}`}`;
      process.stderr.write(terminal ? `\r\x1b[K${line}` : `${line}\n`);
    },
    end: () => {
      if (terminal) process.stderr.write('\r\x1b[K');
    },
  };
}
