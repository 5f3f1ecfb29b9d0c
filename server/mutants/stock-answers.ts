/** What goes wrong without a mistake, as mutants before have found out. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelHash } from './model-hash.ts';
import { ROOT } from './mutants.ts';

const PATH = join(ROOT, 'node_modules', '.cache', `mmrace-mutants-stock-${modelHash()}.jsonl`);

/** What goes wrong, or 'none'. */
export function knownOfStock(question: string): string | 'unknown' {
  if (!existsSync(PATH)) return 'unknown';
  const begin = `[${JSON.stringify(question)},`;
  const line = readFileSync(PATH, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(begin));
  return line === undefined ? 'unknown' : (JSON.parse(line) as readonly [string, string])[1];
}

/** A line is written at once: several processes may write. */
export function keepOfStock(question: string, wrong: string): void {
  mkdirSync(dirname(PATH), { recursive: true });
  appendFileSync(PATH, `${JSON.stringify([question, wrong])}\n`);
}
