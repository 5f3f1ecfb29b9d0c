/** A verdict as plain data: what `explore --json` prints and GET /api/runs/{id} answers. */
import type { RunVerdict } from '../../protocol/http-api.ts';
import { describeBound } from '../../report/bound.ts';
import { countsByText, describeFailure } from '../../report/describe-failure.ts';
import { choiceNames } from '../../scenario/choice-names.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { seenOnLinux } from '../../scenario/seen-on-linux.ts';
import type { CounterexampleReport } from '../explore/explore.ts';
import type { ScenarioVerdict } from '../explore/explore-scenario.ts';
import { plainSteps } from './record-execution.ts';

/** `failed`: `failure` as a value. `waits`: the wait-for graph, empty if no task is stuck; `livelock` what repeats. */
function plainCounterexample({
  stuck,
  livelock,
  failure,
  nearestPassingSchedule,
  ...rest
}: CounterexampleReport) {
  const waits = stuck?.waits ?? [];
  return {
    ...rest,
    failure: describeFailure(failure),
    failed: failure,
    safeSibling: nearestPassingSchedule === 'none' ? null : nearestPassingSchedule.swapped,
    stuck: stuck?.kind ?? null,
    cycle: stuck?.cycle ?? null,
    waits,
    livelock: livelock ?? null,
  };
}

export function plainVerdict(
  plan: ScenarioPlan,
  options: { readonly patch: string; readonly token: string | 'none' },
  verdict: ScenarioVerdict,
): RunVerdict & { readonly [more: string]: unknown } {
  const { counterexample, outcomes, bound, plan: explored, ...rest } = verdict;
  const names = choiceNames(plan, options.patch);
  return {
    scenario: plan.scenario.name,
    kernel: plan.kernel,
    patch: options.patch,
    patches: names.patches,
    drivers: names.drivers,
    actors: explored.instances.map(({ name }) => name),
    ...rest,
    bound: describeBound(bound),
    reason: bound,
    outcomes: countsByText(outcomes),
    seenOnLinux: seenOnLinux(plan),
    token: options.token === 'none' ? null : options.token,
    counterexample:
      counterexample === 'none'
        ? null
        : {
            ...plainCounterexample(counterexample),
            steps: plainSteps(counterexample.steps),
          },
  };
}
