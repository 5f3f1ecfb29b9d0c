import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Journal, parseJournal } from './read-journal.ts';

/** More than any header has. */
const HEADER_BYTES_MAX = 64 * 1024;

/**
 * The recording of the machine that `lab` had last, or 'none'.
 *
 * Throws: JournalError, and what the file system throws.
 */
export function latestJournal(directory: string, lab: string): Journal | 'none' {
  const own = readdirSync(directory)
    .filter((file) => file.startsWith(`${lab}-`) && file.endsWith('.jsonl'))
    .map((file) => join(directory, file))
    .filter((path) => labOf(path) === lab)
    .map((path) => ({ path, changedAt: statSync(path, { bigint: true }).mtimeNs }))
    .sort((a, b) => (a.changedAt < b.changedAt ? -1 : 1));
  const latest = own.at(-1);
  return latest === undefined
    ? 'none'
    : parseJournal(readFileSync(latest.path, 'utf8'), latest.path);
}

/** Whose recording it is, as its first line says: the names of labs may have dashes. */
function labOf(path: string): string | 'unknown' {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES_MAX);
    const [first = ''] = bytes.toString('utf8', 0, readSync(file, bytes)).split('\n');
    const header: unknown = JSON.parse(first);
    return typeof header === 'object' && header !== null && 'lab' in header
      ? String(header.lab)
      : 'unknown';
  } catch {
    return 'unknown';
  } finally {
    closeSync(file);
  }
}
