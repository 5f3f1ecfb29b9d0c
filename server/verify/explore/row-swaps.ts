/** Swaps that can be said in the numbers of a drawing: of two rows, or of two runs of rows. In steps. */

import type { Event } from '../../abi/event.ts';
import type { Sibling, StepSpan } from '../../explorer/no-return.ts';
import type { StoryRow } from '../../report/story/story-row.ts';

interface Unit extends StepSpan {
  readonly actor: string;
}

/** The nearest to the end first: single rows, then runs of rows of one actor. */
export function swapsOfRows(
  rows: readonly StoryRow[],
  events: readonly Event[],
  stepOfEvent: readonly number[],
  steps: number,
): Sibling['swapped'][] {
  const units = unitsOf(rows, events, stepOfEvent, steps);
  return [...swaps(units), ...swaps(runsOfUnits(units))];
}

/** What each row takes: its own steps, and those that lead to it since the row before. */
function unitsOf(
  rows: readonly StoryRow[],
  events: readonly Event[],
  stepOfEvent: readonly number[],
  steps: number,
): Unit[] {
  const stepAt = (n: number): number =>
    stepOfEvent[events.findIndex((event) => event.n === n)] ?? 0;
  const units: Unit[] = [];
  for (const { actor, last } of rows) {
    const first = (units.at(-1)?.last ?? 0) + 1;
    const end = stepAt(last);
    if (end >= first) units.push({ actor, first, last: end });
  }
  const final = units.at(-1);
  if (final !== undefined) units[units.length - 1] = { ...final, last: steps };
  return units;
}

function runsOfUnits(units: readonly Unit[]): Unit[] {
  const runs: Unit[] = [];
  for (const unit of units) {
    const before = runs.at(-1);
    if (before?.actor !== unit.actor) runs.push(unit);
    else runs[runs.length - 1] = { ...before, last: unit.last };
  }
  return runs;
}

function spanOf({ first, last }: Unit): StepSpan {
  return { first, last };
}

function swaps(units: readonly Unit[]): Sibling['swapped'][] {
  const found: Sibling['swapped'][] = [];
  for (let at = units.length - 2; at >= 0; at -= 1) {
    const [first, second] = [units[at], units[at + 1]];
    if (first === undefined || second === undefined || first.actor === second.actor) continue;
    found.push([spanOf(first), spanOf(second)]);
  }
  return found;
}
