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

/** A file, and how many bytes of what it is a part of stand before it. */
export interface FilePart {
  readonly path: string;
  readonly from: number;
}

/** Part of what is read is not there. */
export class MissingPart extends Error {
  constructor(from: number, to: number) {
    super(`bytes ${from} to ${to} have been removed`);
    this.name = 'MissingPart';
  }
}

/**
 * Lines of one file from byte `from` on, where one begins. What stands behind the last line end is what a crash leaves,
 * and is no line. Throws what the file system throws.
 */
export function linesOfFile(path: string, from = 0): IteratorObject<WholeLine> {
  return linesOfParts([{ path, from: 0 }], from);
}

/** As linesOfFile(), of files that are parts of one. Throws: MissingPart as well. */
export function linesOfParts(parts: readonly FilePart[], from: number): Generator<WholeLine> {
  return linesIn(chunksOf(parts, from), from);
}

/** `from` bytes stand before it. */
export function linesOfText(text: string, from = 0): Generator<WholeLine> {
  return linesIn([Buffer.from(text)], from);
}

function* chunksOf(parts: readonly FilePart[], from: number): Generator<Buffer> {
  let at = from;
  for (const [place, part] of parts.entries()) {
    const next = parts[place + 1];
    if (next !== undefined && next.from <= from) continue;
    if (at < part.from) throw new MissingPart(at, part.from);
    const file = openSync(part.path, 'r');
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        const read = readSync(file, chunk, 0, CHUNK_BYTES, at - part.from);
        if (read === 0) break;
        at += read;
        yield chunk.subarray(0, read);
      }
    } finally {
      closeSync(file);
    }
  }
}

function* linesIn(chunks: Iterable<Buffer>, from: number): Generator<WholeLine> {
  let begun: Buffer[] = [];
  let end = from;
  for (const chunk of chunks) {
    let begins = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, begins)) {
      const part = chunk.subarray(begins, at);
      const line = begun.length === 0 ? part : Buffer.concat([...begun, part]);
      begun = [];
      begins = at + 1;
      end += line.length + 1;
      yield { text: line.toString(), end };
    }
    if (begins < chunk.length) begun.push(chunk.subarray(begins));
  }
}
