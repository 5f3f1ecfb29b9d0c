import { posix } from 'node:path';
import { FLOORS, type Floor, floorOf } from './floors.ts';
import { type Complaint, complain, type SourceFile } from './source-file.ts';

export interface Import {
  readonly position: number;
  readonly specifier: string;
  /** A file of the project, a module of Node's, or a package. */
  readonly kind: 'file' | 'node' | 'package';
  /** The path from the root, the module's name, or the package's name. */
  readonly target: string;
}

/** What every benchmark is written in. */
const BENCHMARK = 'server/tidy/benchmark.ts';

const IMPORT = /\b(?:import|export)\b[^;'"()]*?\bfrom\s*['"]|\bimport\s*\(?\s*['"]/g;

/** What `file` imports, types included; `import()` and `export ... from` count. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(IMPORT)) {
    const first = match.index + match[0].length;
    const specifier = file.text.slice(first, file.code.indexOf(file.code[first - 1] ?? "'", first));
    found.push({ position: match.index, specifier, ...resolved(file.path, specifier) });
  }
  return found;
}

function resolved(path: string, specifier: string): Pick<Import, 'kind' | 'target'> {
  if (specifier.startsWith('.')) {
    return { kind: 'file', target: posix.join(posix.dirname(path), specifier) };
  }
  if (specifier.startsWith('node:')) return { kind: 'node', target: specifier };
  const parts = specifier.split('/');
  return {
    kind: 'package',
    target: specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier),
  };
}

/** Imports that the floors do not allow. */
export function complainOfFloors(file: SourceFile): Complaint[] {
  const floor = file.floor;
  if (floor === 'none') return [complain(file, 0, 'stands on no floor of server/tidy/floors.ts')];
  return importsOf(file).flatMap((found) => {
    const refusal = refusalOf(file, floor, found);
    return refusal === 'none' ? [] : [complain(file, found.position, refusal)];
  });
}

function refusalOf(file: SourceFile, floor: Floor, found: Import): string | 'none' {
  switch (found.kind) {
    case 'file':
      return refusalOfFile(file, floor, found.target);
    case 'node':
      if (floor.nature === 'outside' || file.role !== 'code') return 'none';
      if (floor.nodeModules.includes(found.target)) return 'none';
      return `${floor.folder}/ is pure and may not import ${found.target}`;
    case 'package':
      if (floor.packages === 'all' || floor.packages.includes(found.target)) return 'none';
      if (file.role !== 'code' && found.target === 'fast-check') return 'none';
      return `${floor.folder}/ may not import the package ${found.target}`;
  }
}

function refusalOfFile(file: SourceFile, floor: Floor, target: string): string | 'none' {
  if (file.role !== 'code' && target === BENCHMARK) return 'none';
  const wanted = floorOf(target);
  if (wanted === 'none') return `imports ${target}, which stands on no floor`;
  if (wanted.folder === floor.folder || floor.uses === 'all') return 'none';
  if (floor.uses.includes(wanted.folder)) return 'none';
  if (file.role !== 'code' && floor.testsAlsoUse.includes(wanted.folder)) return 'none';
  return `${floor.folder}/ may not import ${wanted.folder}/`;
}

/** Floors that name a floor which does not exist or stands behind them. */
export function complainOfFloorList(floors: readonly Floor[] = FLOORS): string[] {
  const names = floors.map((floor) => floor.folder);
  return floors.flatMap((floor, at) => {
    const before = names.slice(0, at);
    const uses = floor.uses === 'all' ? [] : floor.uses;
    return [
      ...uses
        .filter((name) => !before.includes(name))
        .map((name) => `${floor.folder} uses ${name}, which does not stand before it`),
      ...floor.testsAlsoUse
        .filter((name) => !names.includes(name))
        .map((name) => `${floor.folder}'s tests use ${name}, which does not exist`),
    ];
  });
}

/** Files that import each other in a circle: one complaint a circle, at the import that closes it. */
export function complainOfCircles(files: readonly SourceFile[]): Complaint[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const complaints: Complaint[] = [];
  const trail: string[] = [];

  function visit(file: SourceFile): void {
    state.set(file.path, 'open');
    trail.push(file.path);
    for (const found of importsOf(file)) {
      const next = byPath.get(found.target);
      if (found.kind !== 'file' || next === undefined) continue;
      const seen = state.get(next.path);
      if (seen === 'open') {
        const circle = [...trail.slice(trail.indexOf(next.path)), next.path].join(' -> ');
        complaints.push(complain(file, found.position, `imports in a circle: ${circle}`));
      } else if (seen === undefined) visit(next);
    }
    trail.pop();
    state.set(file.path, 'done');
  }

  for (const file of files) if (!state.has(file.path)) visit(file);
  return complaints;
}
