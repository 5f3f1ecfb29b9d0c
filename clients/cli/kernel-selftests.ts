/** The kernel's HMM selftests, written anew and run in this process: KTAP, or one JSON object. */

import type { KernelId } from '../../server/abi/kernel-ids.ts';
import { runSelftests } from '../../server/conformance/selftest/run-selftests.ts';
import { SELFTESTS } from '../../server/conformance/selftest/selftests.ts';
import { ktapDocument, totalsOf } from '../../server/report/ktap.ts';
import { print } from './ending.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { newProgress } from './progress.ts';

/** Exit codes as in kselftest.h: 0 if all that apply pass, 1 if one fails, 4 if none applies. */
export function runKernelSelftests(
  machine: { readonly kernel: KernelId; readonly thp: 'always' | 'never' },
  output: 'text' | 'json',
): ExitCode {
  const progress = newProgress(`of ${SELFTESTS.length} selftests`);
  let count = 0;
  const results = runSelftests(SELFTESTS, {
    ...machine,
    onResult: () => {
      count += 1;
      progress.at(count);
    },
  });
  progress.end();
  const { pass, fail, skip } = totalsOf(results);
  if (output === 'text') print(ktapDocument(results));
  else {
    print(
      JSON.stringify({ tests: results.length, passed: pass, failed: fail, skipped: skip, results }),
    );
  }
  if (fail > 0) return EXIT.BROKEN;
  return pass > 0 ? EXIT.OK : EXIT.SKIPPED;
}
