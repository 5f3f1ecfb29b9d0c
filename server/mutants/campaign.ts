/** Asks many mutants, each in a process of its own, and remembers what caught them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { modelHash } from './model-hash.ts';
import { type Mutant, ROOT } from './mutants.ts';
import { reachTable } from './reach-table.ts';

export type CaughtBy = 'recordings' | 'scenarios' | 'shapes' | 'none';

/** How much is asked: the recordings, a quarter of a minute; the scenarios as well; and the shapes. */
export type UpTo = Exclude<CaughtBy, 'none'>;
const ORDER: readonly UpTo[] = ['recordings', 'scenarios', 'shapes'];

export interface MutantAnswer {
  readonly id: string;
  readonly caught: CaughtBy;
  /** What went wrong, in one line; empty if nothing did. */
  readonly how: string;
  /** Of computing. */
  readonly seconds: number;
}

export interface CampaignOptions {
  readonly workers: number;
  readonly upTo: UpTo;
  readonly told: (answer: MutantAnswer, from: 'asked' | 'cache') => void;
}

const TRY = fileURLToPath(new URL('try-mutant.ts', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'mmrace-mutants.json');
/** A mutant that says nothing for so long is in a loop without end. */
const SILENT_MS = 600_000;

/** Answers in the order of `mutants`. */
export async function askMutants(
  mutants: readonly Mutant[],
  { workers, upTo, told }: CampaignOptions,
): Promise<readonly MutantAnswer[]> {
  const cache = readCache();
  const answers = new Map<string, MutantAnswer>();
  const left: Mutant[] = [];
  for (const mutant of mutants) {
    const known = cache[keyOf(mutant, upTo)];
    if (known === undefined) left.push(mutant);
    else {
      answers.set(mutant.id, known);
      told(known, 'cache');
    }
  }
  // They take all of their time.
  left.sort((a, b) => Number(a.equivalent !== undefined) - Number(b.equivalent !== undefined));
  const table = left.length === 0 ? '' : reachTable();
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const answer = await askOne(mutant, { upTo, table });
      answers.set(mutant.id, answer);
      cache[keyOf(mutant, upTo)] = answer;
      writeCache(cache);
      told(answer, 'asked');
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return mutants.flatMap(({ id }) => answers.get(id) ?? []);
}

async function askOne(
  { id }: Mutant,
  { upTo, table }: { readonly upTo: UpTo; readonly table: string },
): Promise<MutantAnswer> {
  let stage: CaughtBy = 'recordings';
  let answer: MutantAnswer | undefined;
  const began = performance.now();
  const stages = ORDER.slice(0, ORDER.indexOf(upTo) + 1).join();
  const child = spawn(process.execPath, [TRY, table, stages, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = await watched(child, (line) => {
    const told = JSON.parse(line) as { readonly asks?: CaughtBy } & Omit<MutantAnswer, 'id'>;
    if (told.asks !== undefined) stage = told.asks;
    else answer = { ...told, id };
  });
  if (answer !== undefined) return answer;
  const seconds = Math.round((performance.now() - began) / 1_000);
  const last =
    said
      .join('')
      .trim()
      .split('\n')
      .find((line) => /Error/.test(line)) ?? '';
  const how = ended === 'silent' ? 'it does not come to an end' : `it crashes: ${last}`;
  return { id, caught: stage, how, seconds };
}

/** Hands each line that `child` prints to `told`. */
function watched(child: ChildProcess, told: (line: string) => void): Promise<'ended' | 'silent'> {
  return new Promise((resolve, reject) => {
    let ended: 'ended' | 'silent' = 'ended';
    const silence = (): NodeJS.Timeout =>
      setTimeout(() => {
        ended = 'silent';
        child.kill('SIGKILL');
      }, SILENT_MS);
    let timer = silence();
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        clearTimeout(timer);
        timer = silence();
        told(line);
      });
    }
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(ended);
    });
  });
}

type Cache = Record<string, MutantAnswer>;

function readCache(): Cache {
  try {
    return JSON.parse(readFileSync(CACHE, 'utf8')) as Cache;
  } catch {
    return {};
  }
}

function writeCache(cache: Cache): void {
  mkdirSync(dirname(CACHE), { recursive: true });
  const written = `${CACHE}.${process.pid}`;
  writeFileSync(written, JSON.stringify(cache, null, 1));
  renameSync(written, CACHE);
}

/** An answer is of one model, and so is a report. */
function keyOf({ id }: Mutant, upTo: UpTo): string {
  return `${id} ${upTo} ${modelHash()}`;
}
