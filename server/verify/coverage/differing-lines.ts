/** The lines of a user's file that what ships does not have, and which of them were reached. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maskSource } from '../../journal/mask-source.ts';
import { idleFunctions } from './idle-functions.ts';
import { type CountedScript, functionAt, hasRun, isModule, isReached } from './reached-code.ts';

/** Numbers from 1. */
export interface DifferingLines {
  readonly all: readonly number[];
  readonly missed: readonly number[];
}

/** What a file is compared with. */
export type Shipped = 'kernel' | 'drivers' | 'nothing';

/** What makes the overrides, or a device, runs whenever a world is built: that says nothing. */
const MAKERS: readonly string[] = ['overrides', 'newDevice'];

/** A function that runs whenever a world is built. */
export function isMaker(name: string): boolean {
  return MAKERS.includes(name);
}

/**
 * Of lines inside functions, without those that say nothing (brackets, comments). Empty where a file only leaves
 * something out. With `where` 'functions that ran', lines of functions that nothing has called do not count.
 *
 * `script` is what V8 counted of `loaded`: the same lines as `text`, with types as blanks and more put between.
 */
export function differingLines(
  script: CountedScript,
  { text, loaded }: { readonly text: string; readonly loaded: string },
  shipped: Shipped,
  where: 'everywhere' | 'functions that ran' = 'everywhere',
): DifferingLines {
  const stock = linesOf(shipped);
  const code = maskSource(text, 'comments');
  const idle = where === 'everywhere' ? idleFunctions(script, code) : [];
  const all: number[] = [];
  const missed: number[] = [];
  const begins = beginsOf(loaded);
  for (const [at, line] of code.split('\n').entries()) {
    const begin = begins[at] ?? 0;
    if (!saysSomething(line) || stock.has(line.trim())) continue;
    const inside = functionAt(script, begin);
    if (idle.some((one) => one.begin <= begin && begin < one.end)) {
      all.push(at + 1);
      missed.push(at + 1);
      continue;
    }
    if (inside === undefined || isMaker(inside.functionName) || isModule(inside)) continue;
    if (where === 'functions that ran' && !hasRun(inside)) continue;
    all.push(at + 1);
    if (!isReached(script, begin)) missed.push(at + 1);
  }
  return { all, missed };
}

/** Where each line begins, behind its blanks. */
function beginsOf(text: string): number[] {
  let offset = 0;
  return text.split('\n').map((line) => {
    const begin = offset + line.length - line.trimStart().length;
    offset += line.length + 1;
    return begin;
  });
}

/** An assertion that never fails is reached by none, and that is as it should be. */
function saysSomething(line: string): boolean {
  return /\w/.test(line) && !/^\s*(?:import|export\s*\{|\}\s*from|throw)\b/.test(line);
}

const FOLDERS: Readonly<Record<Exclude<Shipped, 'nothing'>, string>> = {
  kernel: '../../kernel',
  drivers: '../../../clients/drivers',
};

const known = new Map<Shipped, ReadonlySet<string>>();

/** Every line of the sources that ship. Read once: they do not change while a process runs. */
function linesOf(shipped: Shipped): ReadonlySet<string> {
  if (shipped === 'nothing') return new Set();
  const read =
    known.get(shipped) ?? linesIn(fileURLToPath(new URL(FOLDERS[shipped], import.meta.url)));
  known.set(shipped, read);
  return read;
}

function linesIn(folder: string): ReadonlySet<string> {
  const files = globSync('**/*.{ts,js}', { cwd: folder });
  return new Set(
    files
      .filter((path) => !/\.(?:test|fixture|bench|d)\.[tj]s$/.test(path))
      .flatMap((path) => readFileSync(join(folder, path), 'utf8').split('\n'))
      .map((line) => line.trim()),
  );
}
