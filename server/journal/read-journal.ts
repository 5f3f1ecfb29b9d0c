/** Reads a journal. A file is foreign: everything in it is checked as if it came over the wire. */
import type { ActorName, ActorRole, Inbound } from '../machine/remote/inbound.ts';
import { NOTIFICATION_CHECKS, REQUEST_CHECKS } from '../protocol/roles.ts';
import { type Check, compileCheck, firstError } from '../protocol/validators.ts';
import { PAGE_SIZE } from '../vocabulary/address.ts';
import { pageContents } from '../vocabulary/page-contents.ts';
import {
  EndLine,
  EntryLine,
  JOURNAL_VERSION,
  JournalHeader,
  type SessionKey,
  SettledLine,
  type StoredInbound,
} from './journal-format.ts';
import { LAB_LINES, type LabLine } from './lab-lines.ts';
import { checkedSum } from './line-sum.ts';
import { segmentsOf } from './segments.ts';
import { linesOfParts, linesOfText, MissingPart, type WholeLine } from './whole-lines.ts';

/** `file:line: path: expected ...` */
export class JournalError extends Error {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, text: string, options: ErrorOptions = {}) {
    super(`${file}:${line}: ${text}`, options);
    this.name = 'JournalError';
    this.file = file;
    this.line = line;
  }
}

export interface JournalEntry {
  /** In the file, from 1. */
  readonly line: number;
  readonly n: number;
  readonly inbound: Inbound;
  /** What the log came to afterwards; 'none' if the recording ended within this entry. */
  readonly settled: SettledLine | 'none';
}

export interface Journal {
  readonly header: JournalHeader;
  readonly entries: readonly JournalEntry[];
  /** 'none': the lab was not closed in order, or its last lines are lost. */
  readonly end: EndLine | 'none';
}

/** As a Journal, of any size. */
export interface JournalStream {
  readonly header: JournalHeader;
  /** Can be gone through once. Throws: JournalError, where it stands. */
  readonly entries: Iterable<JournalEntry>;
  /** Known when all entries have been gone through. */
  readonly end: EndLine | 'none';
}

export interface EntryRead {
  readonly kind: 'entry';
  readonly n: number;
  readonly inbound: Inbound;
  /** See EntryLine. */
  readonly seq?: number;
  readonly key?: SessionKey;
}

/** Behind which line of a file of sums a reader begins, when all before it is known. */
export interface JournalPosition {
  readonly line: number;
  readonly bytes: number;
  readonly sum: number;
  /** Of the last entry. It is settled. */
  readonly n: number;
  /** Of the actors that are there. */
  readonly roles: readonly (readonly [ActorName, ActorRole])[];
}

/** One line of a journal. */
export type JournalLine = {
  /** In the file, from 1. */
  readonly line: number;
  /** Bytes of the file up to and with this line. */
  readonly bytes: number;
  /** To go on with; 'none' if the file has no sums. */
  readonly sum: number | 'none';
} & (
  | { readonly kind: 'header'; readonly header: JournalHeader }
  | EntryRead
  | { readonly kind: 'settled'; readonly settled: SettledLine }
  | { readonly kind: 'end'; readonly end: EndLine }
  | { readonly kind: 'lab'; readonly lab: LabLine }
);

const HEADER = compileCheck(JournalHeader);
const ENTRY = compileCheck(EntryLine);
const SETTLED = compileCheck(SettledLine);
const END = compileCheck(EndLine);
const LAB = new Map(
  Object.entries(LAB_LINES).map(([field, schema]) => [field, compileCheck(schema)]),
);

/** `file` is the name for messages. Throws: JournalError. */
export function parseJournal(text: string, file: string): Journal {
  const stream = streamOf(readLines(linesOfText(text), file), file);
  const entries = [...stream.entries];
  return { header: stream.header, entries, end: stream.end };
}

/** Throws: JournalError, and what the file system throws. */
export function openJournal(path: string): JournalStream {
  return streamOf(journalLines(path), path);
}

/** Every line of a recording, the header first. A last line without an end is what a crash leaves, and left out. */
export function journalLines(path: string): IteratorObject<JournalLine> {
  return readLines(linesOfParts(segmentsOf(path), 0), path);
}

/** As journalLines(), from a position on: without the header. */
export function journalLinesBehind(
  path: string,
  position: JournalPosition,
): IteratorObject<JournalLine> {
  const lines = linesOfParts(segmentsOf(path), position.bytes);
  return readLines(lines, path, new LineReader(path, position));
}

/** As journalLines() of lines from elsewhere; with a position, as journalLinesBehind(). */
export function journalLinesIn(
  lines: Iterable<WholeLine>,
  file: string,
  behind: JournalPosition | 'the beginning' = 'the beginning',
): IteratorObject<JournalLine> {
  return readLines(lines, file, new LineReader(file, behind));
}

/** As journalLines(), of a text. `file` is the name for messages. */
export function journalLinesOf(text: string, file: string): IteratorObject<JournalLine> {
  return readLines(linesOfText(text), file);
}

function streamOf(lines: IteratorObject<JournalLine>, file: string): JournalStream {
  const first = lines.next();
  if (first.done === true || first.value.kind !== 'header') throw noWholeLine(file);
  let end: EndLine | 'none' = 'none';
  function* entries(): Generator<JournalEntry> {
    let open: JournalEntry | 'none' = 'none';
    for (const one of lines) {
      if (one.kind === 'end') end = one.end;
      else if (one.kind === 'settled') {
        if (open !== 'none') yield { ...open, settled: one.settled };
        open = 'none';
      } else if (one.kind === 'entry') {
        end = 'none';
        if (open !== 'none') yield open;
        open = { line: one.line, n: one.n, inbound: one.inbound, settled: 'none' };
      }
    }
    if (open !== 'none') yield open;
  }
  return {
    header: first.value.header,
    entries: entries(),
    get end() {
      return end;
    },
  };
}

function removedAt(file: string, line: number, cause: MissingPart): JournalError {
  return new JournalError(file, line, `${cause.message}: see --keep`, { cause });
}

function noWholeLine(file: string): JournalError {
  return new JournalError(file, 1, 'expected a journal, found no whole line');
}

function* readLines(
  lines: Iterable<WholeLine>,
  file: string,
  reader = new LineReader(file),
): Generator<JournalLine> {
  try {
    for (const one of lines) yield reader.read(one);
  } catch (error) {
    throw error instanceof MissingPart ? removedAt(file, reader.line + 1, error) : error;
  }
  if (reader.line === 0) throw noWholeLine(file);
}

class LineReader {
  line = 0;
  readonly #file: string;
  readonly #roles = new Map<ActorName, ActorRole>();
  #version = JOURNAL_VERSION;
  #sum: number | 'none' = 0;
  #entries = 0;
  #settled = 0;
  #ended = false;

  constructor(file: string, behind: JournalPosition | 'the beginning' = 'the beginning') {
    this.#file = file;
    if (behind === 'the beginning') return;
    this.line = behind.line;
    this.#sum = behind.sum;
    this.#entries = behind.n;
    this.#settled = behind.n;
    for (const [actor, role] of behind.roles) this.#roles.set(actor, role);
  }

  read({ text, end }: WholeLine): JournalLine {
    this.line += 1;
    const value = this.#parse(this.#withoutSum(text));
    const place = { line: this.line, bytes: end, sum: this.#sum };
    if (this.line === 1) return { ...place, kind: 'header', header: this.#header(value) };
    if (this.#ended && this.#version < 3) {
      throw this.#wrong('expected nothing after the last line');
    }
    if ('end' in value) {
      this.#ended = true;
      return { ...place, kind: 'end', end: this.#checked<EndLine>(END, value) };
    }
    if ('inbound' in value) return { ...place, ...this.#entry(value) };
    const field = Object.keys(value)[0] ?? '';
    const lab = LAB.get(field);
    if (lab !== undefined)
      return { ...place, kind: 'lab', lab: this.#checked<LabLine>(lab, value) };
    return { ...place, kind: 'settled', settled: this.#settle(value) };
  }

  #header(value: object): JournalHeader {
    const header = this.#checked<JournalHeader>(HEADER, value);
    this.#version = header.version;
    if (header.version <= JOURNAL_VERSION) return header;
    throw this.#wrong(`version: expected at most ${JOURNAL_VERSION}: a newer mmrace wrote this`);
  }

  #entry(value: object): EntryRead {
    const { n, inbound, ...rest } = this.#checked<EntryLine>(ENTRY, value);
    if (n !== this.#entries + 1) throw this.#wrong(`n: expected ${this.#entries + 1}, found ${n}`);
    this.#entries = n;
    return {
      kind: 'entry',
      n,
      inbound: restored(inbound, this.#roles, this.#file, this.line),
      ...rest,
    };
  }

  #settle(value: object): SettledLine {
    const settled = this.#checked<SettledLine>(SETTLED, value);
    if (settled.n !== this.#entries || this.#settled === this.#entries) {
      throw this.#wrong(`n: expected the entry before, found ${settled.n}`);
    }
    this.#settled = settled.n;
    return settled;
  }

  /** Its first line says whether a file has sums. */
  #withoutSum(text: string): string {
    if (this.#sum === 'none') return text;
    const found = checkedSum(text, this.#sum);
    if (found === 'none' && this.line === 1) {
      this.#sum = 'none';
      return text;
    }
    if (typeof found === 'string') {
      throw this.#wrong('sum: expected the sum of this line behind the one before: it was changed');
    }
    this.#sum = found.sum;
    return found.json;
  }

  #parse(text: string): object {
    const value = jsonOf(text);
    if (typeof value === 'object' && value !== null) return value;
    throw this.#wrong('expected one JSON object');
  }

  #checked<Value>(check: Check, value: unknown): Value {
    if (check.accepts(value)) return value as Value;
    const { path, bound } = firstError(check, value, '');
    throw this.#wrong(`${path}: expected ${bound}`);
  }

  #wrong(text: string): JournalError {
    return new JournalError(this.#file, this.line, text);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return 'no JSON';
  }
}

/** What was stored, as it was. `roles` are the actors that have come so far. Throws: JournalError. */
export function restored(
  inbound: StoredInbound,
  roles: Map<ActorName, ActorRole>,
  file: string,
  line: number,
): Inbound {
  if (inbound.kind === 'attach') roles.set(inbound.actor, inbound.role);
  if (inbound.kind !== 'request' && inbound.kind !== 'notify') return inbound as Inbound;
  const role = roles.get(inbound.actor);
  if (role === undefined) {
    throw new JournalError(file, line, 'inbound.actor: expected an actor that is attached');
  }
  const table = inbound.kind === 'request' ? REQUEST_CHECKS : NOTIFICATION_CHECKS;
  const checks = table[role].get(inbound.method);
  if (checks === undefined) {
    throw new JournalError(file, line, `inbound.method: expected a method of role ${role}`);
  }
  if (!checks.params.accepts(inbound.params)) {
    const { path, bound } = firstError(checks.params, inbound.params, 'inbound.params');
    throw new JournalError(file, line, `${path}: expected ${bound}`);
  }
  return { ...inbound, contents: inbound.contents.map((page) => restoredPage(page, file, line)) };
}

function restoredPage(text: string, file: string, line: number) {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length <= PAGE_SIZE) return pageContents(new Uint8Array(bytes));
  throw new JournalError(
    file,
    line,
    `inbound.contents: expected pages of at most ${PAGE_SIZE} bytes`,
  );
}
