/**
 * Checkpoints as files: each stands beside its recording under the name of that, and replaces the one before it in one
 * step. See checkpoint.ts.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Checkpoint, checkpointOf, type Unusable } from './checkpoint.ts';
import type { JournalHeader } from './journal-format.ts';
import { segmentsOf, segmentWith } from './segments.ts';

const OWNER_ONLY = 0o600;
const ENDING = '.checkpoint.json';
const OLDER_ENDING = '.older-checkpoint.json';
/** Longer than `,"sum":"..."}` and a line end. */
const TAIL_BYTES = 24;

/** Of a recording: `demo-2026.jsonl` has `demo-2026.checkpoint.json`. */
export function checkpointPath(journal: string): string {
  return journal.replace(/\.jsonl$/, ENDING);
}

/** The one before, for when the newest is of no use. */
export function olderCheckpointPath(journal: string): string {
  return journal.replace(/\.jsonl$/, OLDER_ENDING);
}

/**
 * Of the two files beside `journal` one at least has what it had or `text`, whenever the process is stopped and the
 * power lost; and the recording is on the disk up to where the checkpoint stands first.
 *
 * Rejects with what the file system throws; then they have what they had.
 */
export async function writeCheckpoint(journal: string, text: string): Promise<void> {
  const path = checkpointPath(journal);
  const folder = dirname(path);
  const unfinished = join(folder, `.new-${path.slice(folder.length + 1)}`);
  try {
    const file = await open(unfinished, 'w', OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // Those before its last are on the disk: see file-recorder.ts.
    const recording = await open(segmentsOf(journal).at(-1)?.path ?? journal, 'r');
    await recording.datasync().finally(() => recording.close());
    await rename(path, olderCheckpointPath(journal)).catch(unlessMissing);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * The checkpoint at `path`, of a recording that `model` may go on from: 'none' if there is none, or why it cannot be
 * used. The recording has to have the line that it stands behind.
 */
export function readCheckpoint(
  path: string,
  journal: string,
  lab: string,
  model: JournalHeader['model'],
): Checkpoint | 'none' | Unusable {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
  const read = checkpointOf(text, lab, model);
  if ('unusable' in read) return read;
  const { bytes, sum } = read.position;
  if (sumAt(journal, bytes) !== sum) {
    return { unusable: 'the recording does not have the line that it stands behind' };
  }
  return read;
}

/** The sum of the line that ends at byte `end`; 'none' if no line does. */
function sumAt(journal: string, end: number): number | 'none' {
  const { path, from } = segmentWith(segmentsOf(journal), end - 1);
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).size < end - from || end - from < TAIL_BYTES) return 'none';
    const tail = Buffer.alloc(TAIL_BYTES);
    readSync(file, tail, 0, TAIL_BYTES, end - from - TAIL_BYTES);
    const found = /,"sum":"([0-9a-f]{8})"\}\n$/.exec(tail.toString('latin1'));
    return found === null ? 'none' : Number.parseInt(found[1] as string, 16);
  } finally {
    closeSync(file);
  }
}
