/** Reads a journal. A file is foreign: everything in it is checked as if it came over the wire. */
import type { ActorName, ActorRole, Inbound } from '../machine/remote/inbound.ts';
import { NOTIFICATION_CHECKS, REQUEST_CHECKS } from '../protocol/roles.ts';
import { type Check, compileCheck, whyNot } from '../protocol/validators.ts';
import { PAGE_SIZE } from '../vocabulary/address.ts';
import { pageContents } from '../vocabulary/page-contents.ts';
import {
  EndLine,
  EntryLine,
  JOURNAL_VERSION,
  JournalHeader,
  SettledLine,
  type StoredInbound,
} from './journal-format.ts';

/** `file:line: path: expected ...` */
export class JournalError extends Error {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, text: string) {
    super(`${file}:${line}: ${text}`);
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

const HEADER = compileCheck(JournalHeader);
const ENTRY = compileCheck(EntryLine);
const SETTLED = compileCheck(SettledLine);
const END = compileCheck(EndLine);

/**
 * `file` is the name for messages. A last line without an end is what a crash leaves, and is dropped.
 *
 * Throws: JournalError.
 */
export function parseJournal(text: string, file: string): Journal {
  const lines = text.split('\n').slice(0, -1);
  const [first, ...rest] = lines;
  if (first === undefined)
    throw new JournalError(file, 1, 'expected a journal, found no whole line');
  const header = checked<JournalHeader>(HEADER, parseLine(first, file, 1), file, 1);
  if (header.version > JOURNAL_VERSION) {
    const text = `version: expected at most ${JOURNAL_VERSION}: a newer mmrace wrote this`;
    throw new JournalError(file, 1, text);
  }
  const roles = new Map<ActorName, ActorRole>();
  const entries: JournalEntry[] = [];
  let end: EndLine | 'none' = 'none';
  for (const [at, one] of rest.entries()) {
    const line = at + 2;
    const value = parseLine(one, file, line);
    if (end !== 'none') throw new JournalError(file, line, 'expected nothing after the last line');
    if ('end' in value) end = checked<EndLine>(END, value, file, line);
    else if ('inbound' in value) {
      const { n, inbound } = checked<EntryLine>(ENTRY, value, file, line);
      if (n !== entries.length + 1) {
        throw new JournalError(file, line, `n: expected ${entries.length + 1}, found ${n}`);
      }
      entries.push({ line, n, inbound: restored(inbound, roles, file, line), settled: 'none' });
    } else settle(entries, checked<SettledLine>(SETTLED, value, file, line), file, line);
  }
  return { header, entries, end };
}

function settle(entries: JournalEntry[], settled: SettledLine, file: string, line: number): void {
  const last = entries.at(-1);
  if (last === undefined || last.n !== settled.n || last.settled !== 'none') {
    throw new JournalError(file, line, `n: expected the entry before, found ${settled.n}`);
  }
  entries[entries.length - 1] = { ...last, settled };
}

function parseLine(text: string, file: string, line: number): object {
  const value = jsonOf(text);
  if (typeof value === 'object' && value !== null) return value;
  throw new JournalError(file, line, 'expected one JSON object');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return 'no JSON';
  }
}

function checked<Value>(check: Check, value: unknown, file: string, line: number): Value {
  if (check.accepts(value)) return value as Value;
  const { path, bound } = whyNot(check, value, '');
  throw new JournalError(file, line, `${path}: expected ${bound}`);
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
    const { path, bound } = whyNot(checks.params, inbound.params, 'inbound.params');
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
