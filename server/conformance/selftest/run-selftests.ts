import { DEFAULT_KERNEL, type KernelId } from '../../abi/kernel-ids.ts';
import type { Patch } from '../../patches/patch.ts';
import type { KtapLeaf } from '../../report/ktap.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { BUFFER_PAGES, SelftestBench, SelftestFailure } from './bench.ts';
import type { Selftest } from './selftest.ts';

export interface SelftestOptions {
  /** Pages of the buffers; the kernel's are BUFFER_PAGES. */
  readonly bufferPages?: number;
  readonly kernel?: KernelId;
  readonly patches?: readonly Patch[];
  /** What a test runs with that does not say: /sys/kernel/mm/transparent_hugepage/enabled. 'never' unless said. */
  readonly thp?: 'always' | 'never';
  /** Hears of each result as it comes. */
  readonly onResult?: (result: KtapLeaf) => void;
}

/** Runs each test on fresh benches, and holds it to leaving nothing behind. */
export function runSelftests(
  tests: readonly Selftest[],
  options: SelftestOptions = {},
): KtapLeaf[] {
  return tests.map((test) => {
    const result = runSelftest(test, options);
    options.onResult?.(result);
    return result;
  });
}

function runSelftest(test: Selftest, options: SelftestOptions): KtapLeaf {
  const { name } = test;
  if ('skip' in test) return { name, outcome: 'skip', reason: test.skip, diagnostics: [] };
  const { bufferPages = BUFFER_PAGES, kernel = DEFAULT_KERNEL, patches = [] } = options;
  const usual = { thp: options.thp ?? 'never' } as const;
  const notes = test.note === undefined ? [] : [`${name}: ${test.note}`];
  const benches: SelftestBench[] = [];
  try {
    test.run(({ thp } = usual) => {
      const bench = new SelftestBench({ thp, bufferPages, kernel, patches });
      benches.push(bench);
      return bench;
    });
    for (const bench of benches) bench.end();
    return { name, outcome: 'pass', reason: '', diagnostics: notes };
  } catch (error) {
    if (!(error instanceof SelftestFailure || error instanceof KernelBug)) throw error;
    return { name, outcome: 'fail', reason: '', diagnostics: [...notes, error.message] };
  }
}
