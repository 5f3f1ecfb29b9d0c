/** The events of a run as a history, and where its steps and its point of no return are in it. */
import type { Event } from '../../../server/abi/event.ts';
import type { RunEvents } from '../../../server/protocol/http-api.ts';
import { EventHistory } from '../model/event-history.ts';
import { emptyModel } from '../model/lab-model.ts';
import type { SceneMark } from '../timeline/timeline-scene.ts';

export type RunSide = 'counterexample' | 'sibling';

/** Setup first, then the run itself. */
export function runHistory(run: RunEvents, side: RunSide, patch: string): EventHistory {
  const told = side === 'sibling' && run.sibling !== null ? run.sibling.events : run.events;
  const history = new EventHistory(emptyModel(patch));
  history.append(inOrder([...run.setup, ...told]));
  return history;
}

/** Numbers count without gaps, as a history wants it. What the reports print is kept as it is where it fits. */
function inOrder(events: readonly Event[]): Event[] {
  const first = events[0]?.n ?? 1;
  return events.map((event, at) => (event.n === first + at ? event : { ...event, n: first + at }));
}

/** The event after which every continuation fails, and where the exploring begins. */
export function milestonesOf(run: RunEvents, side: RunSide, history: EventHistory): SceneMark[] {
  const begins = history.first + run.setup.length - 1;
  const start: SceneMark[] =
    run.setup.length === 0 ? [] : [{ n: begins, label: 'the race begins' }];
  if (side === 'sibling' || run.pointOfNoReturn === null) return start;
  const last = lastEventOfStep(run, run.pointOfNoReturn);
  if (last < 0) return start;
  return [
    ...start,
    { n: begins + last + 1, label: `point of no return: step ${run.pointOfNoReturn}` },
  ];
}

/** The place of the last event of a step, or of the last one before it that had any; -1 if none had. */
export function lastEventOfStep(
  { stepOfEvent }: { readonly stepOfEvent: readonly number[] },
  step: number,
): number {
  return stepOfEvent.findLastIndex((each) => each <= step);
}

/** The step that event `n` of the history belongs to; 0 in the setup. */
export function stepOf(run: RunEvents, side: RunSide, history: EventHistory, n: number): number {
  const told = side === 'sibling' && run.sibling !== null ? run.sibling : run;
  return told.stepOfEvent[n - history.first - run.setup.length] ?? 0;
}
