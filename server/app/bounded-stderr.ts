/**
 * A log into a pipe whose other end does not read must not stop the server: what does not fit is dropped, and counted.
 * Files and terminals are written to as they are.
 */
import { fstatSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';

const STDERR = 2;
/** Bytes of the log that wait for the reader of the pipe. */
export const LOG_BYTES_MAX = 1024 * 1024;

export interface BoundedLog extends DestinationStream {
  /** Lines that were dropped. */
  readonly dropped: number;
}

export function boundedStderr(): BoundedLog {
  const stat = fstatSync(STDERR);
  if (stat.isFIFO() || stat.isSocket()) return new Pipe();
  const file = pino.destination({ dest: STDERR, sync: true });
  return { dropped: 0, write: (line) => file.write(line) };
}

class Pipe implements BoundedLog {
  dropped = 0;

  constructor() {
    // Node writes to a pipe of its own at once and waits, unless its handle is told otherwise.
    const { _handle: handle } = process.stderr as {
      _handle?: { setBlocking?: (blocking: boolean) => void };
    };
    handle?.setBlocking?.(false);
    process.stderr.on('error', () => undefined);
  }

  write(line: string): void {
    if (process.stderr.writableLength + line.length > LOG_BYTES_MAX) this.dropped += 1;
    else process.stderr.write(line);
  }
}
