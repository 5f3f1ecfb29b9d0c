/** How much of the kernel runs while something is done: its functions, its lines, and which yield points met. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STOCK } from '../../kernel/stock.ts';
import { languageOf } from '../../scenario/parsed-code.ts';
import { type PairsReached, PointPairs } from '../../scheduler/point-pairs.ts';
import { type Comparison, differingLines } from './differing-lines.ts';
import { scriptOf } from './own-files.ts';
import { beginCounting, hasRun } from './reached-code.ts';

export interface KernelCoverage {
  /** Names of KernelFunctions that ran, sorted. */
  readonly functions: readonly string[];
  /** `hmm/hmm-range-fault.ts:12`: lines inside functions, without those that say nothing. */
  readonly lines: ReadonlySet<string>;
  /** The same of all the kernel. */
  readonly linesAll: ReadonlySet<string>;
  readonly pairs: PairsReached;
}

const WHOLE: Comparison = { shipped: 'nothing', where: 'everywhere', aliases: new Map() };
const KERNEL = fileURLToPath(new URL('../../kernel', import.meta.url));

function kernelFiles(): readonly string[] {
  const files = globSync('**/*.{ts,js}', { cwd: KERNEL });
  return files.filter((path) => !/\.(?:test|fixture|bench|d)\.[tj]s$/.test(path)).sort();
}

/** Does `run`, which has the steps of its worlds counted in `points`. Of this thread alone. */
export function kernelCoverage(run: (points: PointPairs) => void): KernelCoverage {
  const points = new PointPairs();
  const counting = beginCounting('lines');
  try {
    run(points);
    const scripts = counting.taken().filter(({ url }) => url.includes('/server/kernel/'));
    const ran = new Set(
      scripts.flatMap(({ functions }) => functions.filter(hasRun).map((one) => one.functionName)),
    );
    const lines = new Set<string>();
    const linesAll = new Set<string>();
    for (const file of kernelFiles()) {
      const path = join(KERNEL, file);
      // A file of which nothing has run is not reported.
      const script = scriptOf(path, scripts) ?? { url: path, functions: [] };
      const text = readFileSync(path, 'utf8');
      const code = { text, loaded: text, language: languageOf(path) };
      const { all, missed } = differingLines(script, code, WHOLE);
      for (const line of all) {
        linesAll.add(`${file}:${line}`);
        if (!missed.includes(line)) lines.add(`${file}:${line}`);
      }
    }
    const functions = Object.keys(STOCK).filter((name) => ran.has(name));
    return { functions: functions.sort(), lines, linesAll, pairs: points.found() };
  } finally {
    counting.end();
  }
}
