/** Lines of users' files, so that what is wrong can be pointed at. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `file:12`, or the file alone. */
export function placed(file: string, line: number | 'unknown'): string {
  return line === 'unknown' ? file : `${file}:${line}`;
}

/** The line of `file` that an error comes from, by its stack. */
export function lineIn(file: string, error: unknown): number | 'unknown' {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, url = '', line] of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+)(?::\d+)?\)?$/gm)) {
    if (fileURLToPath(url.replace(/\?.*$/, '')) === file) return Number(line);
  }
  // A file that cannot be parsed is named by its path.
  const [, line] = stack.split(file)[1]?.match(/^:(\d+)/) ?? [];
  return line === undefined ? 'unknown' : Number(line);
}

/** The first line of `file` in which `word` stands, a name or a quoted yield point. */
export function lineNaming(file: string, word: string): number | 'unknown' {
  const lines = readFileSync(file, 'utf8').split('\n');
  const found = lines.findIndex((line) => line.split(/[^\w.$]+/).includes(word));
  return found < 0 ? 'unknown' : found + 1;
}
