/** The scenarios that ship, by name. A name from outside is looked up here and never used as a path. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario-schema.ts';

/** Two folders above the sources, three above the built files. */
export function shippedFolder(): string | 'none' {
  const folder = ['../../scenarios', '../../../scenarios']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  return folder ?? 'none';
}

/** Where scenarios ship: the folder itself, and the museum in it, whose files have the number of the race before. */
const SHELVES = [
  { folder: '', name: /^(?<name>.+)\.yaml$/ },
  { folder: 'museum', name: /^(?:\d\d|H\d)-(?<name>.+)\.yaml$/ },
] as const;

/** Paths by name, in the order of the names. Empty where no scenarios are installed. */
function shippedFiles(): ReadonlyMap<string, string> {
  const shipped = shippedFolder();
  if (shipped === 'none') return new Map();
  const files = SHELVES.flatMap((shelf) => {
    const folder = join(shipped, shelf.folder);
    return readdirSync(folder).flatMap((file): [string, string][] => {
      const name = shelf.name.exec(file)?.groups?.name;
      return name === undefined ? [] : [[name, join(folder, file)]];
    });
  });
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sorted. Empty where no scenarios are installed. */
export function shippedScenarioNames(): string[] {
  return [...shippedFiles().keys()];
}

/** Paths of the findings that ship: see mmrace fuzz. */
export function shippedFindings(): string[] {
  const folder = shippedFolder();
  if (folder === 'none') return [];
  const found = join(folder, 'found');
  return readdirSync(found)
    .sort()
    .map((file) => join(found, file));
}

/** The path of its file. */
export function shippedScenarioFile(name: string): string | 'none' {
  return shippedFiles().get(name) ?? 'none';
}

/** The same from the root of the repository: `scenarios/seed-zero-page.yaml`. */
export function shippedScenarioPath(name: string): string | 'none' {
  const file = shippedScenarioFile(name);
  return file === 'none' ? 'none' : join('scenarios', relative(shippedFolder(), file));
}

/** Throws: an Error if the file is not a scenario, which a test rules out for those that ship. */
export function shippedScenario(name: string): Scenario | 'none' {
  const file = shippedScenarioFile(name);
  if (file === 'none') return 'none';
  const read = readScenario(readFileSync(file, 'utf8'), file);
  if (read.ok) return read.scenario;
  throw new Error(`${file}: ${read.problems[0]?.message}`);
}
