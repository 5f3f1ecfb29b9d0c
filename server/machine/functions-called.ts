/** Which functions of the kernel are called, by their names in KernelFunctions: what a live run has reached. */
import type { KernelFunctions } from '../kernel/kernel.ts';
import type { Patch } from '../patches/patch.ts';
import type { PairCounts, PairsReached } from '../scheduler/point-pairs.ts';

/** Plain data. */
export interface Reached {
  /** Sorted. */
  readonly functions: readonly string[];
  readonly pairs: PairsReached;
  readonly counts: PairCounts;
}

type AnyFunction = (...args: never[]) => unknown;

/** A patch to stand behind all others: it notes what is called, and changes nothing. */
export function notingCalls(called: Set<string>): Patch {
  return {
    id: 'noting-calls',
    provenance: 'the laboratory',
    summary: 'changes nothing',
    overrides: (before) =>
      Object.fromEntries(
        Object.entries(before).map(([name, inner]) => [name, noting(called, name, inner)]),
      ) as Partial<KernelFunctions>,
  };
}

function noting(called: Set<string>, name: string, inner: AnyFunction): AnyFunction {
  return (...args) => {
    called.add(name);
    return inner(...args);
  };
}
