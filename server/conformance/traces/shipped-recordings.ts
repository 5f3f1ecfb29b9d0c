/** The recordings of real kernels that ship: what Linux answered, program by program. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KernelId } from '../../abi/kernel-ids.ts';

/** Those that were written by hand for what is easy to get wrong come first, then the random ones. */
const ORDER = ['probes', 'selftest', 'versions', 'swap', 'fork', 'mixed', 'anon'];

/** The files recorded on `kernel`, the short ones first. Empty where none are installed, or none were recorded. */
export function shippedRecordings(kernel: KernelId): readonly string[] {
  // Three folders above the sources, four above the built files.
  const folder = ['../../../scenarios/recordings', '../../../../scenarios/recordings']
    .map((path) => join(fileURLToPath(new URL(path, import.meta.url)), `linux-${kernel}`))
    .find((path) => existsSync(path));
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz'))
    .sort((one, other) => placeOf(one) - placeOf(other))
    .map((name) => join(folder, name));
}

function placeOf(name: string): number {
  const place = ORDER.indexOf(name.replace('.jsonl.gz', ''));
  return place < 0 ? ORDER.length : place;
}
