import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside this file, or beside the source of it where this is the build. */
const FOLDERS = ['./', '../../../server/realkernel/'] as const;

/** The path of a file of this folder that is no code of ours. Throws: RangeError if it is not there. */
export function asset(name: string): string {
  const paths = FOLDERS.map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new RangeError(`${name}: not in ${paths.join(' nor in ')}`);
  return found;
}
