import type { Command } from 'commander';
import { Option } from 'commander';
import { replay } from '../../../server/explorer/replay.ts';
import type { Strategy } from '../../../server/lab/explore/explore.ts';
import {
  exploreScenario,
  type ScenarioVerdict,
} from '../../../server/lab/explore/explore-scenario.ts';
import { raceDiagram } from '../../../server/lab/report/diagram.ts';
import { metaOfExplored } from '../../../server/lab/report/explored-meta.ts';
import { FORMAT_NAMES, FORMATS, type FormatName } from '../../../server/lab/report/formats.ts';
import type { ScenarioPlan } from '../../../server/lab/scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../../server/lab/scenario/scenario-world.ts';
import type { Event } from '../../../server/protocol/event.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { newProgress } from '../progress.ts';
import { type ChoiceOptions, planFrom, scenarioFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

const COLUMNS = 75;
const STRATEGIES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

export interface ExploreCommandOptions extends ChoiceOptions {
  readonly strategy: Strategy;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly seed: number;
  readonly depth: number;
  readonly json?: true;
  readonly format?: FormatName;
}

export function addExploreCommand(program: Command): void {
  program
    .command('explore')
    .description('search the interleavings of a scenario: holds, broken or unknown')
    .argument('<scenario>', 'a scenario file (*.yaml)')
    .option(
      '--patch <name>',
      "'stock', a patch that ships, or a file that exports `patch`",
      'stock',
    )
    .option(
      '--driver <actor=name>',
      'the driver of a device, or of all: a name or a file',
      collect,
      [],
    )
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .addOption(new Option('--strategy <name>', 'how to search').choices(STRATEGIES).default('dpor'))
    .option('--budget-executions <number>', 'stop after so many', wholeNumber(1, 1e12), 1_000_000)
    .option('--budget-seconds <number>', 'stop after so long', wholeNumber(1, 1e6), 60)
    .option('--seed <number>', 'for the random strategies', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--depth <number>', 'pct: ordering constraints of the bug', wholeNumber(1, 16), 3)
    .option('--json', 'print one JSON object')
    .addOption(new Option('--format <name>', 'print a report instead').choices(FORMAT_NAMES))
    .addHelpText(
      'after',
      `
Exit codes: 0 holds, 1 broken, 2 unknown, 64 the question is wrong.

Examples:
  mmrace explore scenarios/seed-zero-page.yaml
  mmrace explore scenarios/seed-zero-page.yaml --patch remove-second-invalidate
  mmrace explore scenarios/seed-zero-page.yaml --strategy pct --seed 7 --json`,
    )
    .action(ending(run));
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(file: string, options: ExploreCommandOptions): Promise<ExitCode> {
  const plan = await planFrom(scenarioFrom(file), options);
  const progress = newProgress('executions');
  const verdict = verdictOf(plan, options, (executions) => progress.at(executions));
  progress.end();
  if (options.format !== undefined) {
    print(reportOf(file, plan, options, verdict, options.format));
    return exitCodeOf(verdict);
  }
  print(
    options.json === true
      ? JSON.stringify(plainVerdict(plan, options, verdict))
      : textOf(plan, options, verdict),
  );
  return exitCodeOf(verdict);
}

/** Explores `plan` in this process. */
export function verdictOf(
  plan: ScenarioPlan,
  options: Omit<ExploreCommandOptions, keyof ChoiceOptions | 'json'>,
  onProgress: (executions: number) => void = () => undefined,
): ScenarioVerdict {
  return exploreScenario(plan, {
    ...options,
    clock: () => performance.now(),
    onProgress: ({ executions }) => onProgress(executions),
  });
}

export function exitCodeOf({ verdict }: ScenarioVerdict): ExitCode {
  if (verdict === 'holds') return EXIT.OK;
  return verdict === 'broken' ? EXIT.BROKEN : EXIT.UNKNOWN;
}

function textOf(
  plan: ScenarioPlan,
  options: ExploreCommandOptions,
  verdict: ScenarioVerdict,
): string {
  const { scenario } = plan;
  const lines = [
    `${scenario.name}: ${verdict.verdict} (kernel ${options.patch})`,
    `  ${verdict.bound}, ${verdict.steps} steps, ${verdict.seconds.toFixed(2)} s;`,
    `  the race window was entered in ${verdict.windowEntered} of ${verdict.executions} executions.`,
  ];
  const { counterexample } = verdict;
  if (counterexample === 'none') return lines.join('\n');
  lines.push(
    '',
    `  ${counterexample.failure}`,
    '',
    raceDiagram(eventsOf(verdict.plan, counterexample.choices), { columns: COLUMNS }),
  );
  const { pointOfNoReturn, safeSibling, steps } = counterexample;
  if (pointOfNoReturn !== 'unknown') {
    const step = steps[pointOfNoReturn - 1];
    lines.push(
      `Point of no return: step ${pointOfNoReturn} of ${steps.length}, ${step?.actor} at ` +
        `${step?.step.at}; every continuation fails.`,
    );
  }
  if (safeSibling !== 'none') {
    const [first, second] = safeSibling.swapped;
    lines.push(
      `Swap steps ${first.first}-${first.last} and ${second.first}-${second.last}, and nothing happens.`,
    );
  }
  return lines.join('\n');
}

/** What happened in the counterexample; without one, in the first execution that comes. */
function eventsOf(plan: ScenarioPlan, choices: readonly number[]): readonly Event[] {
  const run = newScenarioRun(plan);
  const { kept } = run.world.log;
  const begun = kept.length;
  replay(() => run, choices, stepsMaxOf(plan));
  return kept.slice(begun);
}

function reportOf(
  file: string,
  plan: ScenarioPlan,
  options: ExploreCommandOptions,
  verdict: ScenarioVerdict,
  format: FormatName,
): string {
  const { counterexample } = verdict;
  const choices = counterexample === 'none' ? [] : counterexample.choices;
  const meta = metaOfExplored(verdict, {
    name: plan.scenario.name,
    patch: options.patch,
    strategy: options.strategy,
    condition: 'violation',
    reproduce: `mmrace explore ${file} --patch ${options.patch} --strategy ${options.strategy}`,
    question: JSON.stringify([
      plan.scenario,
      options.patch,
      options.driver,
      plan.choice.parameters,
    ]),
    waits: [],
  });
  return FORMATS[format].render(eventsOf(verdict.plan, choices), meta);
}

function plainVerdict(
  plan: ScenarioPlan,
  options: ExploreCommandOptions,
  verdict: ScenarioVerdict,
): unknown {
  const { counterexample, outcomes, plan: explored, ...rest } = verdict;
  return {
    scenario: plan.scenario.name,
    patch: options.patch,
    actors: explored.instances.map(({ name }) => name),
    ...rest,
    outcomes: Object.fromEntries(outcomes),
    counterexample:
      counterexample === 'none'
        ? null
        : {
            ...counterexample,
            steps: counterexample.steps.map(({ actor, name, step }) => ({
              actor,
              name,
              at: step.at,
            })),
            safeSibling:
              counterexample.safeSibling === 'none' ? null : counterexample.safeSibling.swapped,
          },
  };
}
