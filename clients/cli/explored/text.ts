/** A verdict as people read it on a terminal. */
import type { ScenarioVerdict } from '../../../server/lab/explore/explore-scenario.ts';
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
