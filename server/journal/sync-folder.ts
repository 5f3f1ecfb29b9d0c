import { closeSync, fsyncSync, openSync } from 'node:fs';

/** The names in a folder are safe from a loss of power, too. Throws what the file system throws. */
export function syncFolder(directory: string): void {
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } catch (error) {
    // Some file systems do not sync folders; then there is nothing to be done.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(folder);
  }
}
