/**
 * `npm run bench [-- [--quick] [--json] [WORD]]`: runs the benchmarks whose path contains WORD, one file after
 * the other. With --json one object on stdout: {"results":[...]} with a median for each measurement.
 *
 * Exit code: 0 if all ran, met or missed (a number is not a verdict); 64 if WORD fits no file; 70 if one broke.
 */
import { fork } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BenchResult, benchLines, summaries } from './bench/bench-report.ts';
import type { BenchMessage } from './bench/run-file.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUN_FILE = fileURLToPath(new URL('./bench/run-file.ts', import.meta.url));

async function main(): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
    allowPositionals: true,
  });
  const word = positionals[0] ?? '';
  const files = globSync(['server/**/*.bench.ts', 'clients/**/*.bench.ts'], { cwd: ROOT })
    .filter((path) => path.includes(word))
    .sort();
  if (files.length === 0) {
    console.error(`no benchmark has "${word}" in its path`);
    return EXIT.USAGE;
  }
  const results: BenchResult[] = [];
  for (const file of files) {
    const ran = await runFile(file, values.quick ? 'quick' : 'full', (result) => {
      results.push(result);
      if (!values.json) console.log(`${benchLines(result).join('\n')}\n`);
    });
    if (ran === 'broke') {
      console.error(`${file}: broke off, see above`);
      return EXIT.INTERNAL;
    }
  }
  if (values.json) console.log(JSON.stringify({ results: summaries(results) }));
  return EXIT.OK;
}

function runFile(
  file: string,
  effort: string,
  got: (result: BenchResult) => void,
): Promise<'ran' | 'broke'> {
  const child = fork(RUN_FILE, [join(ROOT, file), effort], {
    execArgv: ['--expose-gc', '--max-old-space-size=8192'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => {
    const { bench, measurements } = message as BenchMessage;
    got({ file, bench, measurements });
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code === 0 ? 'ran' : 'broke'));
  });
}

process.exitCode = await main();
