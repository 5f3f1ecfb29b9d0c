import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LiveMachine } from '../../../server/machine/remote/live-machine.ts';
import { planScenario } from '../../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from '../../../server/scenario/scenario-world.ts';
import {
  shippedScenario,
  shippedScenarioNames,
} from '../../../server/scenario/shipped-scenarios.ts';
import {
  countPairs,
  joinedPairs,
  type PairsReached,
  type PointPairs,
} from '../../../server/scheduler/point-pairs.ts';
import {
  type CoverageRow,
  coverageTable,
  FUNCTIONS_ALL,
} from '../../../server/verify/coverage/coverage-table.ts';
import { kernelCoverage } from '../../../server/verify/coverage/kernel-coverage.ts';
import { explore } from '../../../server/verify/explore/explore.ts';
import { scenarioOfShape, shapesOf } from '../../../server/verify/shapes/shapes.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readRecorded } from '../explore/read-recorded.ts';
import { UsageError } from '../failure.ts';
import { newProgress } from '../progress.ts';
import { wholeNumber } from '../whole-number.ts';

interface CoverageOptions {
  readonly scenarios?: true;
  readonly shapes?: true;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly save?: string;
  readonly json?: true;
}

/** What one run, or all of a kind, has reached. */
interface Row {
  readonly name: string;
  readonly functions: readonly string[];
  readonly pairs: PairsReached;
  /** Absent where a run does not say. */
  readonly lines?: ReadonlySet<string>;
  readonly linesAll?: ReadonlySet<string>;
  readonly seconds?: number;
}

export function addCoverageCommand(program: Command): void {
  program
    .command('coverage')
    .description(
      'how much of the kernel runs have reached: functions, lines, pairs of yield points',
    )
    .argument(
      '[runs...]',
      'recordings of labs; what explore, fuzz or certify print with --json; /api/labs/LAB/coverage',
    )
    .option('--scenarios', 'all scenarios that ship, on the stock kernel')
    .option('--shapes', 'shapes of two operations, as many as the budget allows')
    .option('--budget-executions <number>', 'of each search', wholeNumber(1, 1e9), 100)
    .option(
      '--budget-seconds <number>',
      'of computing, of the scenarios and of the shapes',
      wholeNumber(1, 1e6),
      60,
    )
    .option(
      '--save <file>',
      'also write the counts here, a row a line: what npm run docs makes its table of',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  mmrace coverage recorded/*.jsonl
  mmrace fuzz --json > fuzz.json; mmrace coverage fuzz.json recorded/demo.jsonl
  curl -s localhost:7070/api/labs/demo/coverage > lab.json; mmrace coverage lab.json
  mmrace coverage --scenarios --shapes --budget-seconds 300`,
    )
    .action(ending(run));
}

async function run(runs: readonly string[], options: CoverageOptions): Promise<ExitCode> {
  if (runs.length === 0 && options.scenarios !== true && options.shapes !== true) {
    throw new UsageError('coverage: expected runs, --scenarios or --shapes');
  }
  const rows: Row[] = runs.map(rowOf);
  if (options.scenarios === true) rows.push(searched('scenarios', scenarios(), options));
  if (options.shapes === true) rows.push(searched('shapes of 2', shapes(), options));
  const all = rows.length > 1 ? [...rows, joined(rows)] : rows;
  const told = all.map(plain);
  if (options.save !== undefined) save(options.save, told);
  if (options.json === true) {
    print(JSON.stringify(told.map((row, at) => ({ ...row, pairsOf: all[at]?.pairs }))));
  } else print(coverageTable(told));
  return EXIT.OK;
}

/** Throws: UsageError. */
function rowOf(file: string): Row {
  const told = toldIn(file);
  if (told !== 'none') return { name: file, ...told };
  const recorded = readRecorded(file);
  if (recorded.kind !== 'lab') {
    throw new UsageError(`${file}: expected the recording of a lab, or what --json prints`);
  }
  const { header, entries } = recorded.journal;
  const coverage = kernelCoverage((points) => {
    const machine = new LiveMachine(header.config, {
      outbound: () => undefined,
      event: () => undefined,
    });
    points.listen(machine.world.scheduler);
    for (const { inbound } of entries) machine.accept(inbound);
  });
  return { name: file, ...coverage };
}

/** What a command printed with --json says of it, or what a server answers of a lab. */
function toldIn(file: string): Pick<Row, 'functions' | 'pairs'> | 'none' {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return 'none';
  }
  const { reach, pairs, functions, behind } = (json ?? {}) as {
    readonly reach?: { readonly functions?: readonly string[] };
    readonly pairs?: PairsReached;
    readonly functions?: readonly string[];
    readonly behind?: PairsReached;
  };
  if (reach?.functions !== undefined) return { functions: reach.functions, pairs: pairs ?? {} };
  if (functions === undefined || behind === undefined) return 'none';
  return { functions, pairs: behind };
}

function scenarios(): readonly Scenario[] {
  return shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    return scenario === 'none' ? [] : [scenario];
  });
}

/** Every so-manieth first, so that a short time sees a bit of everything. */
const STRIDE = 61;

function* shapes(): Iterable<Scenario> {
  const all = [...shapesOf(2)];
  for (let from = 0; from < STRIDE; from += 1) {
    for (let at = from; at < all.length; at += STRIDE) {
      const shape = all[at];
      if (shape !== undefined) yield scenarioOfShape(shape);
    }
  }
}

/** Milliseconds that this process has computed: what else the machine does changes nothing. */
function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function searched(name: string, asked: Iterable<Scenario>, options: CoverageOptions): Row {
  const began = computed();
  const until = began + options.budgetSeconds * 1_000;
  const progress = newProgress(name);
  let count = 0;
  const coverage = kernelCoverage((points) => {
    for (const scenario of asked) {
      if (computed() > until) break;
      exploreOne(scenario, points, options);
      count += 1;
      progress.at(count);
    }
  });
  progress.end();
  return { name: `${name} (${count})`, seconds: (computed() - began) / 1_000, ...coverage };
}

function exploreOne(scenario: Scenario, points: PointPairs, options: CoverageOptions): void {
  const plan = planScenario(scenario);
  const { pairs = {} } = explore(() => newScenarioRun(plan), {
    strategy: 'dpor',
    budgetExecutions: options.budgetExecutions,
    budgetSeconds: options.budgetSeconds,
    stepsMax: stepsMaxOf(plan),
    seed: 1,
    depth: 3,
    clock: computed,
    onProgress: () => undefined,
  });
  points.join(pairs);
}

function joined(rows: readonly Row[]): Row {
  const withLines = rows.flatMap(({ lines, linesAll }) =>
    lines === undefined || linesAll === undefined ? [] : [{ lines, linesAll }],
  );
  const union = (sets: readonly ReadonlySet<string>[]) => new Set(sets.flatMap((one) => [...one]));
  return {
    name: 'together',
    functions: [...new Set(rows.flatMap(({ functions }) => functions))].sort(),
    pairs: joinedPairs(rows.map(({ pairs }) => pairs)),
    ...(withLines.length === 0
      ? {}
      : {
          lines: union(withLines.map(({ lines }) => lines)),
          linesAll: union(withLines.map(({ linesAll }) => linesAll)),
        }),
  };
}

function plain({ name, functions, pairs, lines, linesAll, seconds }: Row): CoverageRow {
  return {
    name,
    functions,
    functionsAll: FUNCTIONS_ALL.length,
    ...countPairs(pairs),
    ...(lines === undefined || linesAll === undefined
      ? {}
      : { lines: lines.size, linesAll: linesAll.size }),
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** Throws: UsageError. */
function save(file: string, rows: readonly CoverageRow[]): void {
  try {
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--save: ${file}: cannot be written: ${why}`, { cause: error });
  }
}
