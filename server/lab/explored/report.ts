/** A verdict in one of the formats of reports. */
import type { Strategy } from '../explore/explore-options.ts';
import type { ScenarioVerdict } from '../explore/explore-scenario.ts';
import { describeBreach } from '../explore/lock-order-watch.ts';
import { metaOfExplored } from '../report/explored-meta.ts';
import { FORMATS, type FormatName } from '../report/formats.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import { toldRun } from './events.ts';
import { waitsOf } from './waits.ts';

export interface Asked {
  readonly patch: string;
  readonly driver: readonly string[];
  readonly strategy: Strategy;
}

export function reportOf(
  file: string,
  plan: ScenarioPlan,
  options: Asked,
  verdict: ScenarioVerdict,
  format: FormatName,
): string {
  const { counterexample } = verdict;
  const choices = counterexample === 'none' ? [] : counterexample.choices;
  const { setup, events, end } = toldRun(verdict.plan, choices);
  const meta = metaOfExplored(verdict, {
    name: plan.scenario.name,
    patch: options.patch,
    strategy: options.strategy,
    reproduce: `mmrace explore ${file} --patch ${options.patch} --strategy ${options.strategy}`,
    question: JSON.stringify([
      plan.scenario,
      options.patch,
      options.driver,
      plan.choice.parameters,
    ]),
    waits: counterexample === 'none' ? [] : waitsOf(counterexample),
    ...(counterexample === 'none' ? {} : { turn: counterexample.turn }),
    lockOrder: verdict.lockOrder.map(describeBreach),
    setup,
    end,
  });
  return FORMATS[format].render(events, meta);
}
