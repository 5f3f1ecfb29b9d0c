/** `npm run bench`: runs the benchmarks one after the other. See USAGE. */
import { fork } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BenchResult, benchLines, summaries } from './bench/bench-report.ts';
import type { BenchMessage } from './bench/run-file.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

const USAGE = `usage: npm run bench [-- [--quick] [--json] [WORD]]

Runs the benchmarks whose path contains WORD (all of them without one), each file in a process of its own, and
prints the median of each figure, its spread, what it is against its rival, and whether its goal is met.

  --quick     take seconds, only to see that they run
  --json      one object on stdout: {"results":[...]}
  -h, --help  this text

MMRACE_TRACES names other traces for the conformance benchmark: files or folders, separated by colons.
Exit code: 0 if all ran, met or missed (a number is not a verdict); 64 for a wrong command line; 70 if one broke.`;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUN_FILE = fileURLToPath(new URL('./bench/run-file.ts', import.meta.url));

interface BenchOptions {
  readonly effort: 'quick' | 'full';
  readonly format: 'json' | 'text';
  readonly files: readonly string[];
}

async function main(): Promise<ExitCode> {
  const options = readCommandLine(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return EXIT.OK;
  }
  if ('wrong' in options) {
    console.error(`bench: ${options.wrong} (--help lists the options)`);
    return EXIT.USAGE;
  }
  return runFiles(options);
}

function readCommandLine(args: string[]): BenchOptions | 'help' | { readonly wrong: string } {
  const flag = { type: 'boolean' } as const;
  const { values, positionals, tokens } = parseArgs({
    args,
    options: { quick: flag, json: flag, help: { ...flag, short: 'h' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const known = ['quick', 'json', 'help'].includes(token.name);
    if (!known) return { wrong: `unknown option ${token.rawName}` };
    if (token.value !== undefined) return { wrong: `${token.rawName} takes no value` };
  }
  if (values.help === true) return 'help';
  const [word = '', second] = positionals;
  if (second !== undefined) return { wrong: `one word, not "${word}" and "${second}"` };
  const files = globSync(['server/**/*.bench.ts', 'clients/**/*.bench.ts'], { cwd: ROOT })
    .filter((path) => path.includes(word))
    .sort();
  if (files.length === 0) return { wrong: `no benchmark has "${word}" in its path` };
  const effort = values.quick === true ? 'quick' : 'full';
  return { effort, format: values.json === true ? 'json' : 'text', files };
}

async function runFiles({ effort, format, files }: BenchOptions): Promise<ExitCode> {
  const results: BenchResult[] = [];
  for (const [at, file] of files.entries()) {
    console.error(
      `${file} (${at + 1} of ${files.length}${effort === 'full' ? '' : `, ${effort}`})`,
    );
    const ran = await runFile(file, effort, (result) => {
      results.push(result);
      if (format === 'text') console.log(`${benchLines(result).join('\n')}\n`);
    });
    if (ran === 'broke') {
      console.error(`${file}: broke off, see above`);
      return EXIT.INTERNAL;
    }
  }
  if (format === 'json') console.log(JSON.stringify({ results: summaries(results) }));
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
