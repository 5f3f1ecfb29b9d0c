/** Asks many mutants, each in a process of its own, and remembers what caught them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Mutant, ROOT, sourceOf } from './mutants.ts';

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
  const keys = new Map(mutants.map((mutant) => [mutant.id, keysOf(mutant, upTo)]));
  const answers = new Map<string, MutantAnswer>();
  const left: Mutant[] = [];
  for (const mutant of mutants) {
    const known = keys
      .get(mutant.id)
      ?.map((key) => cache[key])
      .find((one) => one !== undefined);
    if (known === undefined) left.push(mutant);
    else {
      answers.set(mutant.id, known);
      told(known, 'cache');
    }
  }
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const answer = await askOne(mutant, upTo);
      answers.set(mutant.id, answer);
      const [ofCaught = '', ofLiving = ''] = keys.get(mutant.id) ?? [];
      cache[answer.caught === 'none' ? ofLiving : ofCaught] = answer;
      writeCache(cache);
      told(answer, 'asked');
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return mutants.flatMap(({ id }) => answers.get(id) ?? []);
}

async function askOne({ id }: Mutant, upTo: UpTo): Promise<MutantAnswer> {
  let stage: CaughtBy = 'recordings';
  let answer: MutantAnswer | undefined;
  const began = performance.now();
  const stages = ORDER.slice(0, ORDER.indexOf(upTo) + 1).join();
  const child = spawn(process.execPath, [TRY, stages, id], {
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

/** What was caught stays caught while its file is the same; what lives, only while nothing else can catch it. */
function keysOf(mutant: Mutant, upTo: UpTo): readonly [string, string] {
  const own = hashOf([JSON.stringify(mutant), sourceOf(mutant)]);
  return [`${mutant.id} ${own}`, `${mutant.id} ${own} ${upTo} ${everything()}`];
}

let known: string | undefined;

function everything(): string {
  known ??= hashOf(
    globSync(
      [
        'server/{kernel,machine,scenario,explorer,verify}/**/*.ts',
        'clients/drivers/**/*.ts',
        'scenarios/*.yaml',
      ],
      { cwd: ROOT },
    )
      .filter((path) => !path.includes('.test.'))
      .sort()
      .map((path) => readFileSync(join(ROOT, path), 'utf8')),
  );
  return known;
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}
