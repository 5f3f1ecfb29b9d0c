/** A verdict as people read it on a terminal. */

import { describeBound } from '../../../server/report/bound.ts';
import { type ChoiceNames, choiceWords } from '../../../server/report/choice-words.ts';
import { describeFailure } from '../../../server/report/describe-failure.ts';
import { describeWait } from '../../../server/report/describe-stuck.ts';
import { raceDiagram } from '../../../server/report/diagram.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { choiceNames } from '../../../server/scenario/choice-names.ts';
import type { RoundStep } from '../../../server/scenario/repeated-rounds.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { seenOnLinux } from '../../../server/scenario/seen-on-linux.ts';
import { recordExecution } from '../../../server/verify/answer/record-execution.ts';
import type { CounterexampleReport } from '../../../server/verify/explore/explore.ts';
import type { ScenarioVerdict } from '../../../server/verify/explore/explore-scenario.ts';
import { NO_TURN_FOR_OTHERS } from '../../../server/verify/explore/livelock-cycle.ts';
import { describeBreach } from '../../../server/verify/explore/lock-order-watch.ts';

const COLUMNS = 75;

export function textOf(
  plan: ScenarioPlan,
  options: { readonly patch: string },
  verdict: ScenarioVerdict,
): string {
  const { scenario } = plan;
  const lines = [
    ...headline(`${scenario.name}: ${verdict.verdict}`, choiceNames(plan, options.patch)),
    ...wrapped(`${describeBound(verdict.bound)};`),
    ...wrapped(`${verdict.steps} steps, ${verdict.seconds.toFixed(2)} s;`),
    ...wrapped(
      `the race window was entered in ${verdict.windowEntered} of ${counted(verdict.executions, 'execution')}.`,
    ),
  ];
  for (const seen of seenOnLinux(plan)) lines.push(...wrapped(`${seen}.`));
  for (const breach of verdict.lockOrder)
    lines.push(...wrapped(`warning: ${describeBreach(breach)}`));
  const { counterexample } = verdict;
  if (counterexample === 'none') return lines.join('\n');
  const { events, run } = recordExecution(verdict.plan, counterexample.choices);
  lines.push(
    '',
    ...wrapped(describeFailure(counterexample.failure)),
    '',
    raceDiagram(events, { columns: COLUMNS, turn: counterexample.turn }),
    ...valueLines(counterexample, run.registers),
    ...decidedLines(counterexample),
    ...stuckLines(counterexample),
    ...livelockLines(counterexample),
  );
  return lines.join('\n');
}

/** What the registers that a condition looks at came to: `child.r0 = 0x0`. */
function valueLines(
  { failure }: CounterexampleReport,
  registers: ReadonlyMap<string, string>,
): string[] {
  if (failure.kind !== 'condition') return [];
  const named = [...registers].filter(([name]) => {
    const [actor = ''] = name.split('.');
    return failure.actors.some((one) => one === actor || actor.replace(/\d+$/, '') === one);
  });
  if (named.length === 0) return [];
  const values = named.map(([name, value]) => `${name} = ${value}`).join(', ');
  return wrapText(`At the end: ${values}.`, COLUMNS);
}

/** What the verdict is of stands beside it. */
export function headline(what: string, names: ChoiceNames, more = ''): string[] {
  const [first = '', ...rest] = wrapText(`${what} (kernel ${choiceWords(names)}${more})`, COLUMNS);
  return rest.length === 0 ? [first] : [first, ...wrapped(rest.join(' '))];
}

/** Lines of at most COLUMNS, indented. */
function wrapped(text: string, indent = '  '): string[] {
  return wrapText(text, COLUMNS - indent.length).map((line) => indent + line);
}

/** The same in steps of the code. */
function decidedLines({ pointOfNoReturn, steps }: CounterexampleReport): string[] {
  if (pointOfNoReturn === 'unknown') return [];
  const step = steps[pointOfNoReturn - 1];
  const where = `step ${pointOfNoReturn} of ${steps.length}: ${step?.actor} at ${step?.step.at}`;
  return [`In the code: ${where}.`];
}

/** What repeats, and why no scheduler is to blame. */
function livelockLines({ livelock }: CounterexampleReport): string[] {
  if (livelock === undefined) return [];
  const { behind, steps, rounds, fairness } = livelock;
  if (fairness === NO_TURN_FOR_OTHERS) {
    const at = steps.map((step) => step.at).join(', ');
    const what = `behind step ${behind} the loop at ${at} has made ${rounds} turns, and ${fairness}.`;
    return ['', ...wrapped(`Livelock: ${what}`, '')];
  }
  return [
    '',
    ...wrapped(
      `Livelock: behind step ${behind} ${repeatWords(steps.length)}; the state is the same after each round ` +
        `(${rounds} were executed), and ${fairness}.`,
      '',
    ),
    ...runsOf(steps).flatMap(({ actor, at }) => wrapped(`${actor}: ${at.join(', ')}`)),
  ];
}

function repeatWords(steps: number): string {
  return steps === 1 ? 'one step repeats' : `these ${steps} steps repeat`;
}

function runsOf(steps: readonly RoundStep[]): { actor: string; at: string[] }[] {
  const runs: { actor: string; at: string[] }[] = [];
  for (const { actor, at } of steps) {
    const last = runs.at(-1);
    if (last?.actor === actor) last.at.push(at);
    else runs.push({ actor, at: [at] });
  }
  return runs;
}

/** Who waits for whom. */
function stuckLines({ stuck }: CounterexampleReport): string[] {
  if (stuck === undefined) return [];
  const { kind, cycle, waits } = stuck;
  const all = waits.flatMap((wait) => [
    ...wrapped(describeWait(wait)),
    ...wait.holds.flatMap(({ what, at }) => wrapped(`and has ${what} since ${at}`, '    ')),
  ]);
  return ['', ...wrapped(`Wait-for graph (${kind}): ${cycle}`, ''), ...all];
}
