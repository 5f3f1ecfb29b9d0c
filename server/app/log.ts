/** Where a server's log goes: sentences for a person at a terminal, one JSON object a line for everything else. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { boundedStderr } from './bounded-stderr.ts';
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
