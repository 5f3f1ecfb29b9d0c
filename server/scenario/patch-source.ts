import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file of the patch that ships as `id`, as it runs here. Throws what the file system throws. */
export function patchSource(id: string): string {
  const { url } = import.meta;
  return readFileSync(fileURLToPath(new URL(`../patches/${id}${extname(url)}`, url)), 'utf8');
}
