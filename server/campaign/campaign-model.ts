/** Names the code that answers units: workers with another one would answer another question. */
import { fileURLToPath } from 'node:url';
import { closureHash } from '../journal/model-hash.ts';

/** What runs in the threads, with all that it imports. */
const ENTRIES = ['./run-unit', '../verify/explore/workers/explore-worker'];

/** Throws what the file system throws for the sources. */
export function campaignModel(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const files = ENTRIES.map((name) =>
    fileURLToPath(new URL(`${name}.${extension}`, import.meta.url)),
  );
  return closureHash(files);
}
