/** One-line mistakes, kept as data, to see whether what ships would find them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface Mutant {
  readonly id: string;
  /** What it does wrong, in one sentence. */
  readonly what: string;
  /** Below the repository's root. */
  readonly file: string;
  /** A whole line of it, without the blanks around it. */
  readonly from: string;
  readonly to: string;
  /** Which of the lines that read like `from`, from 1; absent: it is the only one. */
  readonly occurrence?: number;
  /** Why nothing can find it, where that is so. */
  readonly equivalent?: string;
  /** Why nothing that ships finds it, though something could. */
  readonly lives?: string;
}

export const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

const LISTS = ['kernel.yaml', 'drivers.yaml'];

/** In the order of the lists, the kernel first. */
export function allMutants(): readonly Mutant[] {
  return LISTS.flatMap((list) => {
    const path = fileURLToPath(new URL(list, import.meta.url));
    return parse(readFileSync(path, 'utf8')) as Mutant[];
  });
}

/** Index of the line that changes. Throws: an Error if there is none, or more than one to choose from. */
export function lineOf(mutant: Mutant, text: string): number {
  const { id, file, from, occurrence } = mutant;
  const found = text.split('\n').flatMap((line, at) => (line.trim() === from ? [at] : []));
  const at =
    occurrence === undefined && found.length > 1 ? undefined : found[(occurrence ?? 1) - 1];
  if (at === undefined) throw new Error(`${id}: ${file} has ${found.length} lines "${from}"`);
  return at;
}

export function sourceOf({ file }: Mutant): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** `text` with the mistake in it, on lines of the same numbers. */
export function mutated(mutant: Mutant, text: string): string {
  const lines = text.split('\n');
  lines[lineOf(mutant, text)] = mutant.to;
  return lines.join('\n');
}
