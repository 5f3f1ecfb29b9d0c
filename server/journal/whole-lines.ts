/** The lines of a file or a text, one at a time, however long the file is. */
import { closeSync, openSync, readSync } from 'node:fs';

export interface WholeLine {
  /** Without its end. */
  readonly text: string;
  /** Bytes of the file up to and with the end of the line. */
  readonly end: number;
}

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** What stands behind the last line end is what a crash leaves, and is no line. Throws what the file system throws. */
export function* linesOfFile(path: string): Generator<WholeLine> {
  const file = openSync(path, 'r');
  try {
    yield* linesIn(chunksOf(file));
  } finally {
    closeSync(file);
  }
}

export function linesOfText(text: string): Generator<WholeLine> {
  return linesIn([Buffer.from(text)]);
}

function* chunksOf(file: number): Generator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSync(file, chunk);
    if (read === 0) return;
    yield chunk.subarray(0, read);
  }
}

function* linesIn(chunks: Iterable<Buffer>): Generator<WholeLine> {
  let begun: Buffer[] = [];
  let end = 0;
  for (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const part = chunk.subarray(from, at);
      const line = begun.length === 0 ? part : Buffer.concat([...begun, part]);
      begun = [];
      from = at + 1;
      end += line.length + 1;
      yield { text: line.toString(), end };
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
}
