/** What the demo prints of a verdict: one line, and the race as a picture. */

import type { Event } from '../../../server/abi/event.ts';
import { DIAGRAM_COLUMNS_MAX, raceDiagram } from '../../../server/report/diagram.ts';
import { isAsExpected, type SeedScenario, type SeedVerdict } from './seed-race.ts';

const QUESTIONS = {
  'seed-zero-page': 'dev1 maps the zero page while dev0 migrates it; does it keep it?',
  'seed-empty-entry': 'dev1 faults the hole that dev0 is about to fill; does it keep what it got?',
  'two-migrators': 'two devices migrate the same hole; does exactly one win?',
} as const satisfies Record<SeedScenario, string>;

/** `seed-zero-page: holds, as expected`, the question, what was seen, the diagram; an empty line behind. */
export function verdictText(verdict: SeedVerdict): string {
  const { scenario, expected, seen } = verdict;
  const remark = isAsExpected(verdict) ? 'as expected' : `NOT as expected (${expected})`;
  const diagram = raceDiagram(eventsOfStory(verdict), {
    actors: ['dev0', 'dev1'],
    page: verdict.page,
    columns: DIAGRAM_COLUMNS_MAX,
  });
  return [
    `${scenario}: ${verdict.verdict}, ${remark}`,
    `  ${QUESTIONS[scenario]}`,
    `  ${seen}.`,
    '',
    diagram,
    '',
    '',
  ].join('\n');
}

/** The same for programs, with the violations as the oracles reported them. */
export function verdictRecord(ran: {
  readonly kernel: string;
  readonly verdict: SeedVerdict;
}): object {
  const { kernel, verdict } = ran;
  const { scenario, patch, expected, seen, violations } = verdict;
  return {
    scenario,
    kernel,
    patch,
    verdict: verdict.verdict,
    expected,
    asExpected: isAsExpected(verdict),
    seen,
    violations,
  };
}

/** Up to the step that decides, with the one violation that says it best. */
function eventsOfStory({ events, violations }: SeedVerdict): readonly Event[] {
  const violation = violations.find(({ rule }) => rule === 'OR3') ?? violations[0];
  const end = violation?.n ?? lastStepOfDevice1(events);
  return events.filter(
    (event) => event.n <= end && (event.kind !== 'violation' || event === violation),
  );
}

/** What the CPU does afterwards only checks. */
function lastStepOfDevice1(events: readonly Event[]): number {
  const last = events.findLast(
    (event) =>
      event.actor === 'dev1' && (event.kind === 'device-access' || event.kind === 'return'),
  );
  return last?.n ?? Number.POSITIVE_INFINITY;
}
