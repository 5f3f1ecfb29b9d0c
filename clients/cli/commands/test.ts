import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type KtapTest, ktapDocument, outcomeOf } from '../../../server/lab/report/ktap.ts';
import type { Scenario } from '../../../server/lab/scenario/scenario-schema.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { planFrom, scenarioFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';
import { verdictOf } from './explore.ts';

interface TestOptions {
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly json?: true;
}

export function addTestCommand(program: Command): void {
  program
    .command('test')
    .description('run scenarios against the verdicts that they expect, as KTAP')
    .argument('<files...>', 'scenario files, or folders of them')
    .option('--budget-executions <number>', 'for each verdict', wholeNumber(1, 1e12), 1_000_000)
    .option('--budget-seconds <number>', 'for each verdict', wholeNumber(1, 1e6), 60)
    .option('--json', 'print one JSON object instead of KTAP')
    .addHelpText('after', EXAMPLES)
    .action(ending(run));
}

const EXAMPLES = `
Examples:
  mmrace test scenarios/
  mmrace test ./mine.yaml --budget-seconds 300 --json

Exit 0 if every verdict is the expected one, 1 otherwise; a verdict that was not reached is not ok.`;

async function run(paths: readonly string[], options: TestOptions): Promise<ExitCode> {
  const tests: KtapTest[] = [];
  for (const file of paths.flatMap(scenarioFiles)) {
    tests.push(await testScenario(scenarioFrom(file), options));
  }
  const passed = tests.every((test) => outcomeOf(test) === 'pass');
  print(options.json === true ? JSON.stringify({ passed, tests }) : ktapDocument(tests));
  return passed ? EXIT.OK : EXIT.BROKEN;
}

function scenarioFiles(path: string): string[] {
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

/** One test for each verdict that the scenario expects. */
async function testScenario(scenario: Scenario, options: TestOptions): Promise<KtapTest> {
  const { patches = {}, drivers = {} } = scenario.expect;
  const tests: KtapTest[] = [];
  for (const [patch, expected] of Object.entries(patches)) {
    const plan = await planFrom(scenario, { patch, driver: [] });
    tests.push(compared(`kernel ${patch}`, expected, verdictOf(plan, searched(options))));
  }
  for (const [driver, expected] of Object.entries(drivers)) {
    const plan = await planFrom(scenario, { patch: 'stock', driver: [driver] });
    tests.push(compared(`driver ${driver}`, expected, verdictOf(plan, searched(options))));
  }
  return { name: scenario.name, subtests: tests, diagnostics: [] };
}

function searched(options: TestOptions) {
  return { ...options, strategy: 'dpor', seed: 1, depth: 3 } as const;
}

function compared(
  what: string,
  expected: string,
  { verdict, bound, executions }: ReturnType<typeof verdictOf>,
): KtapTest {
  const diagnostics = [`${bound}, ${executions} executions`];
  const leaf = { name: `${what} ${expected}`, diagnostics };
  if (verdict === expected) return { ...leaf, outcome: 'pass', reason: '' };
  if (verdict === 'unknown') return { ...leaf, outcome: 'error', reason: bound };
  return { ...leaf, outcome: 'fail', reason: `it is ${verdict}` };
}
