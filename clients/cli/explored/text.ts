/** A verdict as people read it on a terminal. */
import { describeWait } from '../../../server/explorer/stuck.ts';
import type { CounterexampleReport } from '../../../server/lab/explore/explore.ts';
import type { ScenarioVerdict } from '../../../server/lab/explore/explore-scenario.ts';
import { describeBreach } from '../../../server/lab/explore/lock-order-watch.ts';
import { eventsOf } from '../../../server/lab/explored/events.ts';
import { raceDiagram } from '../../../server/lab/report/diagram.ts';
import type { ScenarioPlan } from '../../../server/lab/scenario/scenario-plan.ts';

const COLUMNS = 75;

export function textOf(
  plan: ScenarioPlan,
  options: { readonly patch: string },
  verdict: ScenarioVerdict,
): string {
  const { scenario } = plan;
  const lines = [
    `${scenario.name}: ${verdict.verdict} (kernel ${options.patch})`,
    ...wrapped(`${verdict.bound}, ${verdict.steps} steps, ${verdict.seconds.toFixed(2)} s;`),
    `  the race window was entered in ${verdict.windowEntered} of ${verdict.executions} executions.`,
  ];
  for (const breach of verdict.lockOrder) lines.push(`  warning: ${describeBreach(breach)}`);
  const { counterexample } = verdict;
  if (counterexample === 'none') return lines.join('\n');
  lines.push(
    '',
    `  ${counterexample.failure}`,
    '',
    raceDiagram(eventsOf(verdict.plan, counterexample.choices), {
      columns: COLUMNS,
      turn: counterexample.turn,
    }),
    ...decidedLines(counterexample),
    ...stuckLines(counterexample),
  );
  return lines.join('\n');
}

/** Lines of at most COLUMNS, indented; a word is never cut. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of text.split(' ')) {
    if (line.length > 1 && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** The same in steps of the code, for whoever looks there. */
function decidedLines({ pointOfNoReturn, steps }: CounterexampleReport): string[] {
  if (pointOfNoReturn === 'unknown') return [];
  const step = steps[pointOfNoReturn - 1];
  const where = `step ${pointOfNoReturn} of ${steps.length}: ${step?.actor} at ${step?.step.at}`;
  return [`In the code: ${where}.`];
}

/** Who waits for whom. */
function stuckLines({ stuck }: CounterexampleReport): string[] {
  if (stuck === undefined) return [];
  const { kind, cycle, waits } = stuck;
  const all = waits.flatMap((wait) => [
    `  ${describeWait(wait)}`,
    ...wait.holds.map(({ what, at }) => `    and has ${what} since ${at}`),
  ]);
  return ['', `Wait-for graph (${kind}): ${cycle}`, ...all];
}
