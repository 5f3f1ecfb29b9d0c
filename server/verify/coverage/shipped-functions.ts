/** The functions that ship, as lines, to compare those of a user's file with. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diffArrays } from 'diff';
import { maskSource } from '../../journal/mask-source.ts';
import { languageOf, parsedCode } from '../../scenario/parsed-code.ts';
import { type FileFunction, fileFunctions } from './file-functions.ts';

export type Shipped = 'kernel' | 'drivers';

const FOLDERS: Readonly<Record<Shipped, string>> = {
  kernel: '../../kernel',
  drivers: '../../../clients/drivers',
};

/** A function by another name is a copy if so much of it stands in one that ships, in the same order. */
const COPIED = 0.6;

interface ShippedFunction {
  readonly name: string;
  readonly lines: readonly string[];
}

const known = new Map<Shipped, readonly ShippedFunction[]>();

/**
 * Which of `lines`, those of a function, the function that ships does not have: the one of the same name, by one of
 * `names`, or else the one that it is a copy of. All of them if there is none. A line that stands elsewhere in what
 * ships, or in another order, is one's own.
 */
export function ownOf(
  lines: readonly string[],
  names: readonly string[],
  shipped: Shipped,
): readonly boolean[] {
  const all = functionsOf(shipped);
  const named = all.filter(({ name }) => name !== '' && names.includes(name));
  const candidates =
    named.length > 0 ? named : all.filter((one) => sharedPart(lines, one) >= COPIED);
  const least = named.length > 0 ? 0 : COPIED * lines.length;
  const [nearest] = candidates
    .map((one) => differing(lines, one.lines))
    .sort((a, b) => count(a) - count(b));
  if (nearest === undefined || lines.length - count(nearest) < least) return lines.map(() => true);
  return nearest;
}

/** Line by line, without comments and types, blanks between words as one. */
export function comparedLines(text: string): readonly string[] {
  return text.split('\n').map((line) =>
    line
      .trim()
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/ ?([(),;:]) ?/g, '$1'),
  );
}

/** Of the body of a function whose text, without its comments, is `code`. */
export function bodyLines(code: string, { begin, end }: FileFunction): readonly string[] {
  return comparedLines(code.slice(begin, end));
}

function differing(lines: readonly string[], stock: readonly string[]): readonly boolean[] {
  return diffArrays([...stock], [...lines])
    .filter(({ removed }) => removed !== true)
    .flatMap(({ value, added }) => value.map(() => added === true));
}

function count(own: readonly boolean[]): number {
  return own.filter((one) => one).length;
}

/** How much of `lines` stands in `shipped` in whatever order: no less than in the same order. */
function sharedPart(lines: readonly string[], shipped: ShippedFunction): number {
  const there = new Set(shipped.lines);
  return lines.filter((line) => there.has(line)).length / Math.max(1, lines.length);
}

/** Read once: they do not change while a process runs. */
function functionsOf(shipped: Shipped): readonly ShippedFunction[] {
  const read =
    known.get(shipped) ?? functionsIn(fileURLToPath(new URL(FOLDERS[shipped], import.meta.url)));
  known.set(shipped, read);
  return read;
}

function functionsIn(folder: string): readonly ShippedFunction[] {
  return globSync('**/*.{ts,js}', { cwd: folder })
    .filter((path) => !/\.(?:test|fixture|bench|d)\.[tj]s$/.test(path))
    .flatMap((path) => {
      const parsed = parsedCode(readFileSync(join(folder, path), 'utf8'), languageOf(path));
      if (parsed === 'not parsable') return [];
      const code = maskSource(parsed.text, 'comments');
      return fileFunctions(parsed)
        .filter(({ kind }) => kind === 'code')
        .map((one) => ({ name: one.name, lines: bodyLines(code, one) }));
    });
}
