/** The scenarios that ship, by name. A name from outside is looked up here and never used as a path. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario-schema.ts';

const EXTENSION = '.yaml';

/** Two folders above the sources, three above the built files. */
export function shippedFolder(): string | 'none' {
  const folder = ['../../scenarios', '../../../scenarios']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  return folder ?? 'none';
}

/** Sorted. Empty where no scenarios are installed. */
export function shippedScenarioNames(): string[] {
  const folder = shippedFolder();
  if (folder === 'none') return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort();
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
  if (!shippedScenarioNames().includes(name)) return 'none';
  return join(shippedFolder(), `${name}${EXTENSION}`);
}

/** Throws: an Error if the file is not a scenario, which a test rules out for those that ship. */
export function shippedScenario(name: string): Scenario | 'none' {
  const file = shippedScenarioFile(name);
  if (file === 'none') return 'none';
  const read = readScenario(readFileSync(file, 'utf8'), file);
  if (read.ok) return read.scenario;
  throw new Error(`${file}: ${read.problems[0]?.message}`);
}
