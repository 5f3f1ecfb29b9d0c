/** A verdict in one of the formats of reports. */

import { choiceWords } from '../../report/choice-words.ts';
import type { FormatName } from '../../report/format-names.ts';
import { FORMATS } from '../../report/formats.ts';
import { choiceNames } from '../../scenario/choice-names.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { Strategy } from '../explore/explore-options.ts';
import type { ScenarioVerdict } from '../explore/explore-scenario.ts';
import { describeBreach } from '../explore/lock-order-watch.ts';
import { metaOfExplored } from './explored-meta.ts';
import { recordExecution } from './record-execution.ts';
import { waitsOf } from './waits.ts';

export interface ReportRequest {
  readonly patch: string;
  readonly driver: readonly string[];
  readonly strategy: Strategy;
  /** Of a sampling strategy. */
  readonly seed?: number;
}

export function reportOf(
  file: string,
  plan: ScenarioPlan,
  options: ReportRequest,
  verdict: ScenarioVerdict,
  format: FormatName,
): string {
  const { counterexample } = verdict;
  const choices = counterexample === 'none' ? [] : counterexample.choices;
  const { setup, events, run } = recordExecution(verdict.plan, choices);
  const meta = metaOfExplored(verdict, {
    name: plan.scenario.name,
    kernel: plan.kernel,
    patch: choiceWords({ ...choiceNames(plan, options.patch), version: 'left out' }),
    strategy: options.strategy,
    reproduce: commandOf(file, plan, options),
    question: JSON.stringify([
      plan.scenario,
      plan.kernel,
      options.patch,
      options.driver,
      plan.choice.parameters,
    ]),
    waits: counterexample === 'none' ? [] : waitsOf(counterexample),
    ...(counterexample === 'none' ? {} : { turn: counterexample.turn }),
    lockOrder: verdict.lockOrder.map(describeBreach),
    setup,
    end: run.outcome(),
  });
  return FORMATS[format].render(events, meta);
}

/** The command that asks the same again. */
function commandOf(file: string, plan: ScenarioPlan, options: ReportRequest): string {
  const { patch, driver, strategy, seed } = options;
  const sampled = strategy !== 'dpor' && strategy !== 'dfs';
  const { devices, migrators } = plan.choice.parameters;
  return [
    `mmrace explore ${file} --kernel ${plan.kernel} --patch ${patch}`,
    ...driver.map((choice) => `--driver ${choice}`),
    ...(devices === undefined ? [] : [`--devices ${devices}`]),
    ...(migrators === undefined ? [] : [`--migrators ${migrators}`]),
    `--strategy ${strategy}`,
    ...(sampled && seed !== undefined ? [`--seed ${seed}`] : []),
  ].join(' ');
}
