/** Where a server's log goes: sentences for a person at a terminal, one JSON object a line for everything else. */
import { fstatSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { ServerConfig } from './config.ts';

const STDERR = 2;

export function newLog({ logLevel: level, logForm }: ServerConfig): {
  readonly log: Logger;
  /** Lines that were dropped because the reader of the log does not read. */
  readonly dropped: () => number;
} {
  const human = logForm === 'human' || (logForm === 'auto' && process.stderr.isTTY);
  if (human) return { log: pino({ level }, sentences()), dropped: () => 0 };
  const stderr = boundedStderr();
  return { log: pino({ level }, stderr), dropped: () => stderr.dropped };
}

/** `12:00:01 INFO a client has said hello lab=demo actor=gpu0` */
function sentences(): pino.DestinationStream {
  return pretty({
    destination: STDERR,
    sync: true,
    colorize: process.stderr.isTTY && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
  });
}

// A log into a pipe whose other end does not read must not stop the server: what does not fit is dropped, and counted.
// Files and terminals are written to as they are.

/** Bytes of the log that wait for the reader of the pipe. */
const LOG_BYTES_MAX = 1024 * 1024;

interface BoundedLog extends DestinationStream {
  /** Lines that were dropped. */
  readonly dropped: number;
}

function boundedStderr(): BoundedLog {
  const stat = fstatSync(STDERR);
  if (stat.isFIFO() || stat.isSocket()) return new Pipe();
  const file = pino.destination({ dest: STDERR, sync: true });
  return { dropped: 0, write: (line) => file.write(line) };
}

function ignored(): void {
  // A reader that has gone away is none of the server's business.
}

class Pipe implements BoundedLog {
  dropped = 0;

  constructor() {
    // Node writes to a pipe of its own at once and waits, unless its handle is set otherwise.
    const { _handle: handle } = process.stderr as {
      _handle?: { setBlocking?: (blocking: boolean) => void };
    };
    handle?.setBlocking?.(false);
    // Once, however many servers a process starts.
    process.stderr.off('error', ignored).on('error', ignored);
  }

  write(line: string): void {
    if (process.stderr.writableLength + line.length > LOG_BYTES_MAX) this.dropped += 1;
    else process.stderr.write(line);
  }
}
