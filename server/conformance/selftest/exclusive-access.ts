/** Pages that only a device may use. Source of what must hold: hmm-tests.c, exclusive*. */
import type { PageRange } from '../../vocabulary/address.ts';
import { expectFields, type SelftestBench } from './bench.ts';
import type { NewBench, Selftest } from './selftest.ts';
import { patternWord, words } from './words.ts';

export const exclusive: Selftest = {
  name: 'exclusive',
  run: (newBench) => {
    const { bench, buffer } = exclusiveBuffer(newBench);
    counts(bench, buffer);
    expectFields(
      bench.ask(0, { verb: 'check-exclusive', range: buffer }),
      { errno: 'OK' },
      'check-exclusive after the CPU was there',
    );
  },
};

export const exclusiveMprotect: Selftest = {
  name: 'exclusive_mprotect',
  run: (newBench) => {
    const { bench, buffer } = exclusiveBuffer(newBench);
    bench.mprotect(buffer, 'r');
    expectFields(
      bench.ask(0, { verb: 'write', range: buffer, values: words(buffer, patternWord) }),
      { errno: 'EPERM' },
      'write to memory that became read-only',
    );
  },
};

export const exclusiveCow: Selftest = {
  name: 'exclusive_cow',
  run: (newBench) => {
    const { bench, buffer } = exclusiveBuffer(newBench);
    bench.inChild(() => counts(bench, buffer, 'cpu1'));
    counts(bench, buffer);
  },
};

function exclusiveBuffer(newBench: NewBench): { bench: SelftestBench; buffer: PageRange } {
  const bench = newBench();
  const buffer = bench.map(bench.bufferPages, 'rw');
  bench.fills(buffer, patternWord);
  expectFields(
    bench.ask(0, { verb: 'exclusive', range: buffer }),
    { errno: 'OK', cpages: bench.bufferPages, values: words(buffer, patternWord) },
    'exclusive',
  );
  return { bench, buffer };
}

/** A CPU finds what was there, adds one, and finds that. */
function counts(bench: SelftestBench, buffer: PageRange, who: 'cpu0' | 'cpu1' = 'cpu0'): void {
  const next = (at: number) => patternWord(at) + 1n;
  bench.finds(buffer, patternWord, { who });
  bench.fills(buffer, next, who);
  bench.finds(buffer, next, { who });
}
