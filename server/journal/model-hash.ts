/**
 * Names the code that decides what happens: a recording or a schedule fits only the code that it was cut from. The
 * hash covers what is imported from the entry, however far away, and nothing else: a new close code voids no recording.
 * Comments and blank lines do not count, nor do the paths of files and the order of imports, so a pure move voids
 * nothing. Imports of types alone are not followed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { maskSource } from './mask-source.ts';

/** Below server/, without the ending: what runs a live lab. Recordings are of it. */
const MACHINE = 'machine/remote/live-machine';
/** Besides: what makes a world of a scenario and the drivers that ship. Schedules (tokens) are of both. */
const SCENARIOS = ['scenario/scenario-plan', 'scenario/scenario-world'];

export type Hashed = 'machine' | 'schedules';

/**
 * Of the machine, which recordings are of. The same sources give the same hash wherever they stand; the same program
 * as compiled JavaScript gives another.
 *
 * Throws what the file system throws.
 */
export function machineHash(serverFolder: string): string {
  return closureHash(entriesOf(serverFolder, 'machine'));
}

/** Of the machine, the scenario's world and the drivers, which schedules are of. Throws as machineHash(). */
export function scheduleHash(serverFolder: string): string {
  return closureHash(entriesOf(serverFolder, 'schedules'));
}

/** The files that machineHash() or scheduleHash() covers, as paths from `serverFolder` with /, sorted. */
export function hashedFiles(serverFolder: string, of: Hashed): string[] {
  return [...closureOf(entriesOf(serverFolder, of)).keys()]
    .map((path) => relative(serverFolder, path).split(sep).join('/'))
    .sort();
}

function entriesOf(serverFolder: string, of: Hashed): string[] {
  const names = of === 'machine' ? [MACHINE] : [MACHINE, ...SCENARIOS];
  return names.map((name) => {
    const source = join(serverFolder, `${name}.ts`);
    return existsSync(source) ? source : join(serverFolder, `${name}.js`);
  });
}

interface Source {
  /** Names what it says, but for its imports. */
  readonly body: string;
  readonly imports: readonly {
    /** What it takes: `{ a, b }`. */
    readonly clause: string;
    readonly specifier: string;
  }[];
}

/** By absolute paths. Throws what the file system throws. */
export function closureHash(entryFiles: readonly string[]): string {
  return hashOf(closureOf(entryFiles));
}

/** A file is named by what it says and by what the files that it imports say. */
function hashOf(closure: ReadonlyMap<string, Source>): string {
  const lines = [...closure].map(([path, { body, imports }]) => {
    const from = imports.map(({ clause, specifier }) => {
      const target = closure.get(join(dirname(path), specifier));
      return `${clause} ${target === undefined ? specifier : target.body}`;
    });
    return [body, ...from.sort()].join('\n');
  });
  return sha256(lines.sort().join('\n\n'));
}

function closureOf(entryFiles: readonly string[]): Map<string, Source> {
  const closure = new Map<string, Source>();
  const toRead = [...entryFiles];
  for (let path = toRead.pop(); path !== undefined; path = toRead.pop()) {
    if (closure.has(path)) continue;
    const source = readSource(path);
    closure.set(path, source);
    for (const { specifier } of source.imports) {
      if (specifier.startsWith('.')) toRead.push(join(dirname(path), specifier));
    }
  }
  return closure;
}

/** At the beginning of a line: in the model nothing else begins like one. */
const IMPORT = /^(?:import|export)\s(type\s)?(?:([^;'"()]*?)\bfrom\s*)?['"]([^'"\n]+)['"];?$/gm;

function readSource(path: string): Source {
  const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  const imports: Source['imports'][number][] = [];
  const body = maskSource(text, 'comments')
    .replaceAll(
      IMPORT,
      (_, type: string | undefined, clause: string | undefined, specifier: string) => {
        if (type === undefined) imports.push({ clause: onOneLine(clause ?? ''), specifier });
        return '';
      },
    )
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
  return { body: sha256(body), imports };
}

/** Where a list of names is broken depends on how long the path behind it is. */
function onOneLine(clause: string): string {
  return clause.replaceAll(/\s+/g, ' ').replace(/, }/, ' }').trim();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
