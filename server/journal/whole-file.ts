import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/** How the name of a file begins that is being written; what a crash leaves of one means nothing. */
const UNFINISHED = '.new-';
const ANYBODY_READS = 0o644;

/**
 * The file has either what it had or `text`, whenever the process is stopped and the power lost. For files that are
 * written rarely: it waits for the disk.
 *
 * Throws what the file system throws; then it has what it had.
 */
export function writeWholeFile(path: string, text: string, mode = ANYBODY_READS): void {
  const folder = dirname(path);
  const unfinished = join(folder, `${UNFINISHED}${basename(path)}`);
  const file = openSync(unfinished, 'w', mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(unfinished, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(unfinished, path);
  syncFolder(folder);
}
