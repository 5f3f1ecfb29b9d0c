/** The files that a patch or a driver is written in: its own, and those that it imports by a path. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { languageOf } from '../../scenario/parsed-code.ts';
import { loadedText } from '../../scenario/user-imports.ts';
import { type Comparison, type DifferingLines, differingLines } from './differing-lines.ts';
import type { CountedScript } from './reached-code.ts';

const PACKAGE = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const IMPORT = /^\s*(?:import|export)\s+(?!type\b)[^'"]*?['"]([^'"]+)['"]/gm;

/** Lines of one file that what ships does not have. */
export interface OwnLines extends DifferingLines {
  /** Without its folder. */
  readonly file: string;
}

/**
 * Of `file` itself, which comes first, and of each file that it imports by a path. Of the latter, functions that
 * nothing has called do not count: the line that would call them does.
 */
export function ownLines(
  file: string,
  scripts: readonly CountedScript[],
  against: Pick<Comparison, 'shipped' | 'aliases'>,
): readonly OwnLines[] {
  return ownFiles(file).flatMap((path, at) => {
    const script = scriptOf(path, scripts);
    // A file of which only its module ran, before the count began, is not told by V8.
    if (script === undefined)
      return at === 0 ? [{ file: basename(path), all: [], missed: [] }] : [];
    const where = at === 0 ? 'everywhere' : 'functions that ran';
    const text = readFileSync(path, 'utf8');
    const code = { text, loaded: loadedText(path, text), language: languageOf(path) };
    const lines = differingLines(script, code, { ...against, where });
    return [{ file: basename(path), ...lines }];
  });
}

export function scriptOf(
  path: string,
  scripts: readonly CountedScript[],
): CountedScript | undefined {
  return scripts.find(({ url }) => url.startsWith('file:') && fileURLToPath(url) === path);
}

/** `file` first. What ships is no file of the user's, unless it is `file` itself. */
export function ownFiles(file: string): readonly string[] {
  const found = [resolve(file)];
  for (const one of found) {
    for (const imported of importsOf(one)) {
      if (!imported.startsWith('.')) continue;
      const path = resolve(dirname(one), imported);
      if (!found.includes(path) && isOwn(path)) found.push(path);
    }
  }
  return found;
}

function isOwn(path: string): boolean {
  const ships = ['server', 'clients'].some((part) =>
    path.startsWith(`${PACKAGE}${sep}${part}${sep}`),
  );
  return !ships && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** What drivers are made of, and no driver. */
const PARTS = /drivers\/(?:hardware|interface)\//;

/** Whether `file` replaces parts of a driver that ships: it imports from there, and more than types. */
export function buildsOnShippedDriver(file: string): boolean {
  return importsOf(file).some(
    (name) =>
      (name.startsWith('mmrace/drivers/') || name.includes('clients/drivers/')) &&
      !PARTS.test(name),
  );
}

/** A file that is gone since it was loaded imports nothing. */
function importsOf(file: string): readonly string[] {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return [];
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, name = '']) => name);
}
