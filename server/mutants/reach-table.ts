/** Which recordings, scenarios and shapes come to the line of a mutant: those can find it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

export type ReachTable = Readonly<Record<string, Reaching>>;

const FIND = fileURLToPath(new URL('find-reaching.ts', import.meta.url));

/** Where the table of today's sources stands; it is made if it is not there yet, in some minutes. */
export function reachTable(): string {
  const path = join(ROOT, 'node_modules', '.cache', `mmrace-mutants-reach-${modelHash()}.json`);
  if (existsSync(path)) return path;
  const found = spawnSync(process.execPath, [FIND], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (found.status !== 0) throw new Error('find-reaching.ts has failed');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, found.stdout);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export function readReaching(path: string, id: string): Reaching {
  const table = JSON.parse(readFileSync(path, 'utf8')) as ReachTable;
  const reaching = table[id];
  if (reaching === undefined) throw new Error(`${path} says nothing of ${id}`);
  return reaching;
}
