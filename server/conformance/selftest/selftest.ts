import type { BenchOptions, SelftestBench } from './bench.ts';

/** Starts a fresh process with two open devices. The runner ends it. */
export type NewBench = (options?: Pick<BenchOptions, 'thp'>) => SelftestBench;

/** One TEST_F() of the kernel's hmm-tests.c, written anew: what it does is the kernel's, how is ours. */
export type Selftest =
  | {
      readonly name: string;
      readonly run: (newBench: NewBench) => void;
      /** What is done differently here, and why. */
      readonly note?: string;
    }
  | { readonly name: string; readonly skip: string };
