/**
 * What devices see of memory. Source of what must hold: hmm-tests.c, snapshot, double_map, hmm_gup_test,
 * hmm_cow_in_device.
 */
import { pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { expectFields } from './bench.ts';
import { migrates } from './migration.ts';
import type { Selftest } from './selftest.ts';
import { patternWord, words, zero } from './words.ts';

export const snapshot: Selftest = {
  name: 'snapshot',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(7, 'none');
    const page = (at: number, count = 1) => pagesFrom(pageIndex(buffer.first + at), count);
    bench.munmap(page(1));
    bench.mprotect(page(2), 'r');
    bench.finds(page(2), zero);
    bench.mprotect(page(3), 'rw');
    bench.fills(page(3), patternWord);
    bench.mprotect(page(3), 'r');
    bench.mprotect(page(4, 3), 'rw');
    bench.fills(page(4), patternWord);
    for (const device of [0, 1] as const) {
      expectFields(
        bench.ask(device, { verb: 'migrate-to-dev', range: page(5 + device) }),
        { errno: 'OK', cpages: 1 },
        `migrate to device ${device}`,
      );
    }
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: buffer }),
      {
        errno: 'OK',
        prot: ['error', 'error', 'zero+read', 'read', 'write', 'dev-private-local+write', 'none'],
      },
      'snapshot',
    );
  },
};

export const doubleMap: Selftest = {
  name: 'double_map',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(6, 'rw');
    bench.fills(buffer, patternWord);
    bench.mprotect(buffer, 'r');
    const read = { errno: 'OK', cpages: 6, faults: 1, values: words(buffer, patternWord) } as const;
    expectFields(bench.ask(0, { verb: 'read', range: buffer }), read, 'read by device 0');
    expectFields(bench.ask(1, { verb: 'read', range: buffer }), read, 'read by device 1');
    expectFields(
      bench.ask(1, { verb: 'migrate-to-dev', range: buffer }),
      { errno: 'OK', cpages: 6 },
      'migrate to device 1',
    );
    expectFields(bench.ask(0, { verb: 'read', range: buffer }), read, 'read by device 0 again');
  },
};

export const hmmGupTest: Selftest = {
  name: 'hmm_gup_test',
  note: 'plain references and long-term pins; the fast paths are not modelled apart',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(4, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    for (let at = 0; at < 4; at += 1) {
      const range = pagesFrom(pageIndex(buffer.first + at), 1);
      const mode = at < 2 ? 'get' : 'longterm';
      bench.succeeds(`pin ${mode}`, (cpu) => cpu.pin(at, range, mode));
      bench.succeeds('unpin', (cpu) => cpu.unpin(at));
    }
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: buffer }),
      { errno: 'OK', prot: ['write', 'write', 'write', 'write'] },
      'snapshot',
    );
    bench.finds(buffer, patternWord);
  },
};

export const hmmCowInDevice: Selftest = {
  name: 'hmm_cow_in_device',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(4, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    bench.inChild(() => bench.fills(buffer, patternWord));
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: buffer }),
      { errno: 'OK', prot: ['write', 'write', 'write', 'write'] },
      'snapshot',
    );
    bench.finds(buffer, patternWord);
  },
};
