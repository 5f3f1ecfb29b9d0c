/**
 * Names the model that runs: a journal or a schedule fits only the code that it was cut from. The hash covers the
 * sources of the floors that decide what happens, and nothing else, so that a new close code voids no recording.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Folders below server/, in no particular order: the files are sorted by path. */
export const MODEL_FOLDERS = [
  'vocabulary',
  'task',
  'scheduler',
  'kernel',
  'patches',
  'machine',
  'protocol',
] as const;

/**
 * `serverFolder` holds MODEL_FOLDERS. The same sources give the same hash on every machine; the same program as
 * compiled JavaScript gives another.
 *
 * Throws what the file system throws.
 */
export function modelHash(serverFolder: string): string {
  const hash = createHash('sha256');
  for (const file of modelFiles(serverFolder)) {
    const text = readFileSync(join(serverFolder, file), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${file}\n${text.length}\n`).update(text);
  }
  return hash.digest('hex');
}

/** Paths below `serverFolder` with /, sorted by code unit: readdir's order is the file system's affair. */
export function modelFiles(serverFolder: string): string[] {
  return MODEL_FOLDERS.flatMap((folder) =>
    readdirSync(join(serverFolder, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isModelSource(entry.name))
      .map((entry) => relative(serverFolder, join(entry.parentPath, entry.name)))
      .map((path) => path.split(sep).join('/')),
  ).sort();
}

function isModelSource(name: string): boolean {
  return /\.(ts|js)$/.test(name) && !/\.(test|bench|d)\.(ts|js)$/.test(name);
}
