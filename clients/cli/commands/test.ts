import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { KernelId } from '../../../server/abi/kernel-ids.ts';
import { STOCK_NAME } from '../../../server/patches/joint-name.ts';
import { describeBound } from '../../../server/report/bound.ts';
import { type KtapTest, ktapDocument, totalsOf } from '../../../server/report/ktap.ts';
import { scenarioOf } from '../../../server/scenario/explore-request.ts';
import type { Scenario, VerdictWord } from '../../../server/scenario/scenario-schema.ts';
import type { Verdict } from '../../../server/verify/explore/explore.ts';
import type { AskedSearch } from '../../../server/verify/explore/workers/answer-many.ts';
import { BadInput } from '../../../server/vocabulary/bad-input.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { answerTo } from '../explore/answer.ts';
import { reachingAdvice } from '../explore/reaching-advice.ts';
import {
  DEFAULT_BUDGET_SECONDS,
  DEFAULT_DEPTH,
  DEFAULT_SEED,
  searchDataOf,
} from '../explore/search-settings.ts';
import { UsageError } from '../failure.ts';
import { kernelsOption } from '../kernel-option.ts';
import { patchOption } from '../patch-option.ts';
import { newProgress } from '../progress.ts';
import { askedFrom, resolvedPatch, scenarioFile } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

interface TestOptions {
  readonly patch: string;
  readonly kernels?: readonly KernelId[];
  readonly budgetExecutions?: number;
  readonly budgetSeconds: number;
  readonly workers: number;
  readonly json?: true;
}

/** One verdict that a scenario expects. */
interface Case extends AskedSearch {
  readonly scenario: string;
  /** `kernel stock`, `driver skip-retry`. */
  readonly what: string;
  readonly expected: VerdictWord;
}

type Got = Pick<
  Verdict,
  'verdict' | 'bound' | 'executions' | 'steps' | 'seconds' | 'windowEntered' | 'reach'
>;

const NOT_ASKED: Got = {
  verdict: 'unknown',
  bound: { kind: 'not asked' },
  executions: 0,
  steps: 0,
  seconds: 0,
  windowEntered: 0,
};

/** Fewer are answered sooner than a thread starts. */
const CASES_WORTH_THREADS = 6;

export function addTestCommand(program: Command): void {
  program
    .command('test')
    .description('run scenarios against the verdicts that they expect, as KTAP')
    .argument('<files...>', 'scenarios that ship, files, or folders of files')
    .option(
      '--budget-executions <number>',
      'for each verdict (default: what the scenario says, else 1000000)',
      wholeNumber(1, 1e12),
    )
    .option('--budget-seconds <number>', 'likewise', wholeNumber(1, 1e6), DEFAULT_BUDGET_SECONDS)
    .addOption(kernelsOption())
    .addOption(patchOption('ask of it what is expected of stock: '))
    .addOption(
      new Option('--workers <number>', 'threads')
        .argParser(wholeNumber(1, 64))
        .default(availableParallelism(), 'one for each core'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
With --patch only what is expected of the stock kernel is asked, and of the patch instead; scenarios in which it does
not run are skipped.

Exit codes: 0 all as expected, 1 some are not, 2 some are unknown and the others as expected (also: the patch runs in
none).

Examples:
  mmrace test scenarios/
  mmrace test scenarios/ --kernels all
  mmrace test scenarios/ --patch ./mine.ts
  mmrace test ./mine.yaml --budget-seconds 300 --json | jq .totals`,
    )
    .action(ending(run));
}

async function run(paths: readonly string[], options: TestOptions): Promise<ExitCode> {
  const cases = casesOf(paths.flatMap(scenarioFiles), options);
  const interruption = new AbortController();
  const got = await verdictsOf(cases, options, interruption);
  const tests = ktapTests(cases, got);
  const totals = totalsOf(tests);
  print(options.json === true ? JSON.stringify(plain(cases, got, totals)) : ktapDocument(tests));
  if (interruption.signal.aborted) return EXIT.INTERRUPTED;
  if (totals.fail > 0) return EXIT.BROKEN;
  if (totals.error > 0) return EXIT.UNKNOWN;
  return totals.pass === 0 && totals.skip > 0 ? EXIT.UNKNOWN : EXIT.OK;
}

function scenarioFiles(word: string): string[] {
  const path = scenarioFile(word);
  try {
    if (!statSync(path).isDirectory()) return [path];
    const inside = readdirSync(path).filter((name) => name.endsWith('.yaml'));
    if (inside.length > 0) return inside.sort().map((name) => join(path, name));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path}: cannot be read: ${why}`, { cause: error });
  }
  throw new UsageError(`${path}: there is no scenario (*.yaml) in it`);
}

/** Throws: UsageError with what is wrong in all of the files, before any of them is searched. */
function casesOf(files: readonly string[], options: TestOptions): Case[] {
  const problems: string[] = [];
  const cases = files.flatMap((file) => {
    const stock = askedFrom(file, { patch: 'stock', driver: [] });
    try {
      const scenario = scenarioOf(stock);
      const search = searchDataOf(scenario, searched(options));
      return expectedOf(scenario, options.patch).flatMap(({ what, expected, patch, drivers }) => {
        const asked = { ...stock, patch, drivers };
        const one = { scenario: scenario.name, what, expected, asked, search };
        return options.kernels?.map((kernel) => onKernel(one, kernel)) ?? [one];
      });
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return cases;
}

/** The same on another version of Linux: it is expected to be alike. */
function onKernel(one: Case, kernel: KernelId): Case {
  return { ...one, what: `${one.what} on ${kernel}`, asked: { ...one.asked, kernel } };
}

function expectedOf({ expect }: Scenario, patch: string) {
  const { patches = {}, drivers = {} } = expect;
  if (patch !== STOCK_NAME) {
    const { stock: expected } = patches;
    const what = `kernel ${patch}`;
    return expected === undefined
      ? []
      : [{ what, expected, patch: resolvedPatch(patch), drivers: [] }];
  }
  return [
    ...Object.entries(patches).map(([patch, expected]) => {
      return { what: `kernel ${patch}`, expected, patch, drivers: [] };
    }),
    ...Object.entries(drivers).map(([driver, expected]) => {
      return { what: `driver ${driver}`, expected, patch: 'stock', drivers: [driver] };
    }),
  ];
}

function searched({ budgetExecutions, budgetSeconds }: TestOptions) {
  const budgets = {
    ...(budgetExecutions === undefined ? {} : { budgetExecutions }),
    budgetSeconds,
  };
  return { ...budgets, strategy: 'dpor', seed: DEFAULT_SEED, depth: DEFAULT_DEPTH } as const;
}

/** In the order of the cases; interrupted, those that were not decided are unknown. */
async function verdictsOf(
  cases: readonly Case[],
  { workers }: TestOptions,
  interruption: AbortController,
): Promise<readonly Got[]> {
  const progress = newProgress(`of ${cases.length} verdicts`);
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    if (workers > 1 && cases.length >= CASES_WORTH_THREADS) {
      // Threads cost a few modules that a single scenario does without.
      const { answerMany } = await import('../../../server/verify/explore/workers/answer-many.ts');
      const { signal } = interruption;
      const onAnswer = (answers: number) => progress.at(answers);
      return await answerMany(cases, { workers, interrupted: signal, onAnswer });
    }
    const got: Got[] = [];
    for (const [at, { asked, search }] of cases.entries()) {
      progress.at(at);
      if (interruption.signal.aborted) {
        got.push(NOT_ASKED);
        continue;
      }
      const answered = await answerTo(asked, search, { workers: 1, onProgress: () => undefined });
      if (answered.ended === 'interrupted') interruption.abort();
      got.push(answered.verdict);
    }
    return got;
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
  }
}

/** A test for each scenario, with one for each of its verdicts. */
function ktapTests(cases: readonly Case[], got: readonly Got[]): KtapTest[] {
  const tests = new Map<string, KtapTest[]>();
  for (const [at, one] of cases.entries()) {
    const subtests = tests.get(one.asked.file) ?? [];
    subtests.push(compared(one, got[at] as Got));
    tests.set(one.asked.file, subtests);
  }
  const names = new Map(cases.map(({ asked, scenario }) => [asked.file, scenario]));
  return [...tests].map(([file, subtests]) => {
    return { name: names.get(file) ?? file, subtests, diagnostics: [] };
  });
}

function compared({ what, expected }: Case, { verdict, bound, reach }: Got): KtapTest {
  const leaf = { name: `${what} ${expected}`, diagnostics: [describeBound(bound)] };
  const idle = reach?.patches.find(({ called }) => called.length === 0);
  if (verdict === 'broken' && verdict === expected && idle !== undefined) {
    const { patch } = idle;
    return { ...leaf, outcome: 'skip', reason: `it is broken, and nothing of ${patch} has run` };
  }
  if (verdict === expected) return { ...leaf, outcome: 'pass', reason: '' };
  if (bound.kind === 'patch not reached') {
    const diagnostics = [...leaf.diagnostics, reachingAdvice(bound)].filter((one) => one !== '');
    return { ...leaf, diagnostics, outcome: 'skip', reason: describeBound(bound) };
  }
  if (verdict === 'unknown') return { ...leaf, outcome: 'error', reason: describeBound(bound) };
  return { ...leaf, outcome: 'fail', reason: `it is ${verdict}` };
}

function plain(
  cases: readonly Case[],
  got: readonly Got[],
  totals: ReturnType<typeof totalsOf>,
): unknown {
  const verdicts = cases.map(({ scenario, what, expected }, at) => {
    const { verdict, bound, executions, steps, seconds, windowEntered } = got[at] as Got;
    const counted = { executions, steps, seconds, windowEntered };
    return {
      scenario,
      what,
      expected,
      verdict,
      bound: describeBound(bound),
      reason: bound,
      ...counted,
    };
  });
  return { passed: totals.fail + totals.error === 0, verdicts, totals };
}
