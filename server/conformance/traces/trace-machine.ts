import type { TraceProgram } from './parse-program.ts';

/** Swap of the recordings that had any: 4 MiB. */
const SWAP_SLOTS = 1024;

/** What a program needs of its machine. */
export interface TraceMachine {
  readonly swapSlots: number;
  readonly thp: 'always' | 'never';
}

export const WITHOUT_SWAP: TraceMachine = { swapSlots: 0, thp: 'never' };
export const WITH_SWAP: TraceMachine = { swapSlots: SWAP_SLOTS, thp: 'never' };

/** The machine that a trace was recorded on: with swap if some page was ever seen there. None has huge pages. */
export function machineOf({ steps }: TraceProgram): TraceMachine {
  const swapped = steps.some(({ state }) =>
    [state.cpu0, state.cpu1].some((spans) =>
      Object.values(spans ?? {}).some((chars) => chars.includes('s')),
    ),
  );
  return swapped ? WITH_SWAP : WITHOUT_SWAP;
}
