import { isKernelId, type KernelId } from '../../abi/kernel-ids.ts';
import type { TraceProgram } from './parse-program.ts';

/** Swap of the recordings that had any: 4 MiB. */
const SWAP_SLOTS = 1024;

/** What a program needs of its machine. */
export interface TraceMachine {
  /** Absent: 6.1. */
  readonly kernel?: KernelId;
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

/** The kernel that recorded `file`, by the last of its folders that says so: `linux-6.12`, `linux-6.1-versions`. */
export function kernelOfFile(file: string): KernelId | 'not said' {
  const said = [...file.matchAll(/(?:^|[\\/])linux-(\d+\.\d+)(?![\d.])/g)].at(-1)?.[1] ?? '';
  return isKernelId(said) ? said : 'not said';
}
