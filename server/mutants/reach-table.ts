/** Which recordings, scenarios and shapes come to the line of a mutant: those can find it. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelHash } from './model-hash.ts';
import { ROOT } from './mutants.ts';

/** Each in the order in which it is asked. */
export interface Reaching {
  /** Places among `recordings`. */
  readonly recordings: readonly number[];
  /** Names of questions. */
  readonly scenarios: readonly string[];
  readonly shapes: readonly string[];
  /** Shapes of two, those first in which both actors touch what the line touches: of all pairs of operations some. */
  readonly races: readonly string[];
}

/** A line of the table. Each mutant's process reads its own, and leaves the other megabytes alone. */
export type ReachLine = readonly [id: string, reaching: Reaching];

export function tableText(table: readonly ReachLine[]): string {
  return table.map((line) => `${JSON.stringify(line)}\n`).join('');
}

const NAME = 'mmrace-mutants-reach';
const FIND = fileURLToPath(new URL('find-reaching.ts', import.meta.url));

/** Where the table of today's sources stands; it is made if it is not there yet, in some minutes. */
export function reachTable(): string {
  const folder = join(ROOT, 'node_modules', '.cache');
  const path = join(folder, `${NAME}-${modelHash()}.jsonl`);
  if (existsSync(path)) return path;
  const found = spawnSync(process.execPath, [FIND], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (found.status !== 0) throw new Error('find-reaching.ts has failed');
  mkdirSync(folder, { recursive: true });
  for (const old of globSync(`${NAME}-*`, { cwd: folder })) rmSync(join(folder, old));
  writeFileSync(`${path}.${process.pid}`, found.stdout);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export function readReaching(path: string, id: string): Reaching {
  const begin = `["${id}",`;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.startsWith(begin)) return (JSON.parse(line) as ReachLine)[1];
  }
  throw new Error(`${path} says nothing of ${id}`);
}
