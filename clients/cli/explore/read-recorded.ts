/** Whatever can be executed again: a token, the file of a counterexample, or the recording of a lab. By its content. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { JOURNAL_FORMAT, type JournalHeader } from '../../../server/journal/journal-format.ts';
import {
  type Journal,
  type JournalEntry,
  JournalError,
  type JournalStream,
  openJournal,
  parseJournal,
} from '../../../server/journal/read-journal.ts';
import {
  COUNTEREXAMPLE_FORMAT,
  type Counterexample,
} from '../../../server/verify/counterexample/counterexample.ts';
import {
  FILE_BYTES_MAX,
  parseCounterexample,
} from '../../../server/verify/counterexample/counterexample-file.ts';
import {
  BadToken,
  isToken,
  parseToken,
} from '../../../server/verify/counterexample/counterexample-token.ts';
import { UsageError } from '../failure.ts';
import { folderOf } from './plan-of-counterexample.ts';

export interface RecordedCounterexample {
  readonly kind: 'counterexample';
  readonly counterexample: Counterexample;
  /** The folder from where the user's files may be named. */
  readonly beside: string;
}

export interface RecordedLab {
  readonly kind: 'lab';
  readonly file: string;
  readonly header: JournalHeader;
  /** All of it at once. Throws: UsageError. */
  readonly journal: Journal;
  /** However long it is. Throws: UsageError, where something is wrong; so does what it gives. */
  open(): JournalStream;
}

export type Recorded = RecordedCounterexample | RecordedLab;

/** `word` is a token or the path of a file. Throws: UsageError. */
export function readRecorded(word: string): Recorded {
  if (isToken(word)) return ofToken(word, 'the token', '.');
  if (beginsAsJournal(word)) return labOf(word);
  const text = textOf(word);
  if (isToken(text.trimStart())) return ofToken(text, word, folderOf(word));
  const json = jsonOf(text);
  if (isCounterexample(json)) return ofFile(json, word);
  // It is not: this says what it lacks.
  const journal = journalOf(text, word);
  return { kind: 'lab', file: word, header: journal.header, journal, open: () => journal };
}

const BEGINNING = `{"format":"${JOURNAL_FORMAT}"`;

/** A file that cannot be read does not: textOf() says why. */
function beginsAsJournal(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    const bytes = Buffer.alloc(BEGINNING.length);
    readSync(file, bytes);
    closeSync(file);
    return bytes.toString() === BEGINNING;
  } catch {
    return false;
  }
}

function labOf(file: string): RecordedLab {
  let whole: Journal | 'not read' = 'not read';
  const open = (): JournalStream => inUsersWords(() => openJournal(file));
  return {
    kind: 'lab',
    file,
    header: open().header,
    open: () => {
      const stream = open();
      return {
        header: stream.header,
        entries: entriesOf(stream),
        get end() {
          return stream.end;
        },
      };
    },
    get journal() {
      if (whole === 'not read') {
        const stream = this.open();
        const entries = [...stream.entries];
        whole = { header: stream.header, entries, end: stream.end };
      }
      return whole;
    },
  };
}

function* entriesOf({ entries }: JournalStream): Generator<JournalEntry> {
  const left = entries[Symbol.iterator]();
  for (;;) {
    const next = inUsersWords(() => left.next());
    if (next.done === true) return;
    yield next.value;
  }
}

/** What is wrong with a recording is the user's to mend. */
function inUsersWords<Value>(act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    if (error instanceof JournalError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** As readRecorded(), for those who can do nothing with a live run. Throws: UsageError. */
export function readCounterexample(word: string): RecordedCounterexample {
  const recorded = readRecorded(word);
  if (recorded.kind === 'counterexample') return recorded;
  throw new UsageError(`${word}: is the recording of a lab; expected a counterexample or a token`);
}

function ofToken(token: string, what: string, beside: string): RecordedCounterexample {
  try {
    return { kind: 'counterexample', counterexample: parseToken(token), beside };
  } catch (error) {
    if (!(error instanceof BadToken)) throw error;
    const where = what === 'the token' ? '' : `${what}: `;
    throw new UsageError(`${where}${error.message}`, { cause: error });
  }
}

function ofFile(json: unknown, file: string): RecordedCounterexample {
  const parsed = parseCounterexample(json);
  if ('bound' in parsed) {
    throw new UsageError(`${file}: ${parsed.path}: expected ${parsed.bound}`);
  }
  return { kind: 'counterexample', counterexample: parsed, beside: folderOf(file) };
}

function isCounterexample(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('format' in json)) return false;
  return json.format === COUNTEREXAMPLE_FORMAT;
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= FILE_BYTES_MAX) return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be read: ${why}`, { cause: error });
  }
  throw new UsageError(`${file}: is larger than ${FILE_BYTES_MAX} bytes`);
}

/** `file` is the name for messages. Throws: UsageError. */
export function journalOf(text: string, file: string): Journal {
  try {
    return parseJournal(text, file);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const hint = text.startsWith('{"') ? '' : '; nor is it a counterexample of explore --save';
    throw new UsageError(`${error.message}${hint}`, { cause: error });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return 'no JSON';
  }
}
