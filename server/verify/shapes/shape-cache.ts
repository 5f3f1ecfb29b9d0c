/**
 * What came of shapes, kept from one run to the next: a file for each model, kernel and patch, named by a hash of them,
 * and in it a line for each scenario, named by a hash of what it says. A line is written at once, and has a sum: what
 * was torn or changed is as if it were not there. What holds or is broken is so with any budget; what is unknown is
 * asked again with a larger one.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_KERNEL } from '../../abi/kernel-ids.ts';
import { closureHash } from '../../journal/model-hash.ts';
import { namesIn } from '../../patches/joint-name.ts';
import type { AskedChoice } from '../../scenario/explore-request.ts';
import { isFile } from '../../scenario/explore-request.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import type { ShapeRecord } from './ask-shape.ts';

export interface ShapeCache {
  get(scenario: Scenario): ShapeRecord | 'unknown';
  /** A cache that cannot be written is none: the answer stands all the same. */
  put(scenario: Scenario, record: ShapeRecord): void;
}

/** Changes when the lines do. */
const FORMAT = 2;

/** Where caches go unless said: $XDG_CACHE_HOME/mmrace, or ~/.cache/mmrace. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME: base = '' } = process.env;
  return join(base === '' ? join(homedir(), '.cache') : base, 'mmrace');
}

/** Throws what the file system throws for the sources of the model or of the patch. */
export function openShapeCache(
  folder: string | 'none',
  { kernel = DEFAULT_KERNEL, patch, drivers }: AskedChoice,
  executions: number,
): ShapeCache {
  const known = new Map<string, ShapeRecord>();
  if (folder === 'none') return inMemory(known);
  const source = [...namesIn(patch), ...drivers].map((name) =>
    isFile(name) ? closureHash([name]) : name,
  );
  const name = hash(JSON.stringify([FORMAT, modelHash(), kernel, source]));
  const path = join(folder, 'shapes', `${name}.jsonl`);
  const text = textAt(path);
  for (const line of text.split('\n')) {
    const read = readLine(line);
    if (read !== 'none' && isEnough(read, executions)) known.set(read.key, read.record);
  }
  let separator = text === '' || text.endsWith('\n') ? '' : '\n';
  const { get, put } = inMemory(known);
  return {
    get,
    put(scenario, record) {
      put(scenario, record);
      try {
        mkdirSync(join(folder, 'shapes'), { recursive: true });
        const line = lineOf({ key: keyOf(scenario), budget: executions, record });
        appendFileSync(path, `${separator}${line}\n`);
        separator = '';
      } catch {
        // Nothing is lost but time.
      }
    },
  };
}

function inMemory(known: Map<string, ShapeRecord>): ShapeCache {
  return {
    get: (scenario) => known.get(keyOf(scenario)) ?? 'unknown',
    put: (scenario, record) => known.set(keyOf(scenario), record),
  };
}

/** All that the answer to a shape hangs on, but for the shape. */
function modelHash(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return closureHash([fileURLToPath(new URL(`ask-shape.${extension}`, import.meta.url))]);
}

function keyOf(scenario: Scenario): string {
  return hash(JSON.stringify(scenario));
}

interface Line {
  readonly key: string;
  /** The executions that it might have taken. */
  readonly budget: number;
  readonly record: ShapeRecord;
}

function isEnough({ budget, record }: Line, executions: number): boolean {
  return record.word !== 'unknown' || budget >= executions;
}

function lineOf(line: Line): string {
  const body = JSON.stringify(line);
  return `${hash(body).slice(0, 8)} ${body}`;
}

function readLine(line: string): Line | 'none' {
  const body = line.slice(9);
  return body !== '' && line.startsWith(`${hash(body).slice(0, 8)} `) ? JSON.parse(body) : 'none';
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
