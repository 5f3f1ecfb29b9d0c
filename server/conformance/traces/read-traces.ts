/**
 * Trace files from disk: `*.jsonl` and `*.jsonl.gz`, one program a line. Folders are searched,
 * though not their subfolders. Nothing is guessed: what cannot be read or does not fit the format
 * ends the reading with file and line.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isMismatch, parseProgram, type TraceProgram } from './parse-program.ts';

/** Characters of one line. A longer one is refused before it is held in memory as a whole. */
export const LINE_CHARS_MAX = 64 * 1024 * 1024;

/**
 * A trace file that cannot be used. `line` counts from 1; 0 where the file itself is the matter.
 */
export class TraceError extends Error {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, reason: string, cause?: unknown) {
    super(line === 0 ? `${file}: ${reason}` : `${file}:${line}: ${reason}`, { cause });
    this.name = 'TraceError';
    this.file = file;
    this.line = line;
  }
}

/** A program and where it stands. */
export interface FoundProgram {
  readonly file: string;
  readonly line: number;
  readonly program: TraceProgram;
}

/**
 * The programs of `paths` in order; those of a folder in the order of its file names.
 *
 * Throws: TraceError at the first file or line that cannot be used, also where there is no program
 *         at all.
 */
export async function* readTraces(paths: readonly string[]): AsyncGenerator<FoundProgram> {
  for await (const found of readTraceLines(paths)) {
    const { file, line } = found;
    yield { file, line, program: programOf(found) };
  }
}

/** A line that holds a program. */
export interface TraceLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** As readTraces(), for a caller that needs few of the programs: reading one takes longer than finding it. */
export async function* readTraceLines(paths: readonly string[]): AsyncGenerator<TraceLine> {
  for (const file of await traceFiles(paths)) {
    let line = 0;
    for await (const text of linesOf(file)) {
      line += 1;
      yield { file, line, text };
    }
    if (line === 0) throw new TraceError(file, 1, 'expected at least one program, found none');
  }
}

/** Throws: TraceError if the line does not fit the format. */
export function programOf({ file, line, text }: TraceLine): TraceProgram {
  const program = parseProgram(text);
  if (!isMismatch(program)) return program;
  throw new TraceError(file, line, `${program.path}: expected ${program.bound}`);
}

/**
 * The files that `paths` name.
 *
 * Throws: TraceError if a path does not exist, is no trace file, or is a folder without trace
 *         files.
 */
export async function traceFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const kind = await kindOf(path);
    if (kind === 'file' && !isTraceName(path)) {
      throw new TraceError(path, 0, 'expected a file whose name ends in .jsonl or .jsonl.gz');
    }
    if (kind === 'file') {
      files.push(path);
      continue;
    }
    const names = (await readdir(path)).filter(isTraceName).sort();
    if (names.length === 0) {
      throw new TraceError(path, 0, 'expected a folder with *.jsonl or *.jsonl.gz files');
    }
    files.push(...names.map((name) => join(path, name)));
  }
  return files;
}

async function kindOf(path: string): Promise<'file' | 'folder'> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: TraceError takes the cause as its last argument.
    throw new TraceError(path, 0, `cannot be read: ${reasonOf(error)}`, error);
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let lines = 0;
  const stream = bytesOf(file);
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (let ended = false; !ended; ) {
      let text: string;
      try {
        const next = await chunks.next();
        ended = next.done === true;
        text = decoder.decode(ended ? undefined : next.value, { stream: !ended });
      } catch (error) {
        // biome-ignore lint/style/useErrorCause: TraceError takes the cause as its last argument.
        throw new TraceError(file, lines + 1, readingFailed(error), error);
      }
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        lines += 1;
        yield part;
      }
      if (rest.length > LINE_CHARS_MAX) {
        throw new TraceError(
          file,
          lines + 1,
          `expected at most ${LINE_CHARS_MAX} characters a line`,
        );
      }
    }
    if (rest !== '') yield rest;
  } finally {
    stream.destroy();
  }
}

function bytesOf(file: string): Readable {
  const raw = createReadStream(file);
  if (!file.endsWith('.gz')) return raw;
  // The reader of the unpacked stream gets the error; the callback only says that it is not lost.
  return pipeline(raw, createGunzip(), () => undefined);
}

function readingFailed(error: unknown): string {
  const code = (error as { readonly code?: string }).code ?? '';
  if (code === 'Z_BUF_ERROR') return 'the gzip data ends too early: the file is truncated';
  if (code.startsWith('Z_')) return `expected gzip data: ${reasonOf(error)}`;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'expected UTF-8 text';
  return `cannot be read: ${reasonOf(error)}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isTraceName(name: string): boolean {
  return name.endsWith('.jsonl') || name.endsWith('.jsonl.gz');
}
