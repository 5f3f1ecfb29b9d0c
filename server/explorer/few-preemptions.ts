/** Bounds how often an execution may take the processor from a task that could go on. */
import type { Chooser } from './replay.ts';

/** As `chooser` says, until it has preempted so often; from then on tasks run until they wait or end. */
export function withinPreemptions(chooser: Chooser, preemptionsMax: number): Chooser {
  let left = preemptionsMax;
  return (ready, previous, depth) => {
    const same = ready.find((task) => task.identity.id === previous);
    // The chooser is asked even where it has no choice: it may count.
    if (same !== undefined && left === 0) return chooser([same], previous, depth);
    const chosen = chooser(ready, previous, depth);
    if (same !== undefined && chosen !== same) left -= 1;
    return chosen;
  };
}
