/** Changes with everything that an answer about a mutant hangs on. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './mutants.ts';

const SOURCES = [
  'server/{kernel,machine,scenario,explorer,verify,conformance,mutants}/**/*.{ts,yaml}',
  'clients/drivers/**/*.ts',
  'scenarios/*.yaml',
];

let known: string | undefined;

export function modelHash(): string {
  known ??= hashOf(
    globSync(SOURCES, { cwd: ROOT })
      .filter((path) => !path.includes('.test.'))
      .sort()
      .map((path) => readFileSync(join(ROOT, path), 'utf8')),
  );
  return known;
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}
