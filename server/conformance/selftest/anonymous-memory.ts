/** Devices read and write anonymous memory. Source of what must hold: hmm-tests.c, anon_* and open_close. */

import type { DmirrorResult } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import { cpuOf } from '../../machine/world.ts';
import { pageIndex, pageRange } from '../../vocabulary/address.ts';
import { randomPolicy } from '../fuzz/random-policy.ts';
import { STEP_LENGTH_MAX } from '../fuzz/run-fuzz-program.ts';
import { expectFields, type SelftestBench, SelftestFailure } from './bench.ts';
import type { Selftest } from './selftest.ts';
import { otherWord, patternWord, words, zero } from './words.ts';

/** Rounds of the tests that do the same again and again. */
const ROUNDS = 10;

export const openClose: Selftest = {
  name: 'open_close',
  run: (newBench) => {
    newBench();
  },
};

export const anonRead: Selftest = {
  name: 'anon_read',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    // The first page stays empty, the second becomes the zero page.
    const filled = pageRange(pageIndex(buffer.first + 2), buffer.end);
    bench.fills(filled, patternWord);
    bench.mprotect(buffer, 'r');
    bench.finds(pageRange(pageIndex(buffer.first + 1), filled.first), zero);
    expectFields(
      bench.ask(0, { verb: 'read', range: buffer }),
      {
        errno: 'OK',
        cpages: bench.bufferPages,
        faults: 1,
        values: ['0x0', '0x0', ...words(filled, patternWord)],
      },
      'read',
    );
  },
};

export const anonReadProt: Selftest = {
  name: 'anon_read_prot',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    bench.fills(buffer, patternWord);
    bench.mprotect(buffer, 'none');
    expectFields(
      bench.ask(0, { verb: 'read', range: buffer }),
      { errno: 'EFAULT' },
      'read of protected memory',
    );
    bench.mprotect(buffer, 'r');
    bench.finds(buffer, patternWord);
  },
};

export const anonWrite: Selftest = {
  name: 'anon_write',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    deviceWrites(bench, buffer, otherWord);
    bench.finds(buffer, otherWord, { last: zero });
  },
};

export const anonWriteProt: Selftest = {
  name: 'anon_write_prot',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'r');
    const firstPage = pageRange(buffer.first, pageIndex(buffer.first + 1));
    expectFields(
      bench.ask(0, { verb: 'read', range: firstPage }),
      { errno: 'OK', cpages: 1, faults: 1, values: ['0x0'] },
      'read of the zero page',
    );
    expectFields(
      bench.ask(0, { verb: 'write', range: buffer, values: words(buffer, otherWord) }),
      { errno: 'EPERM' },
      'write to read-only memory',
    );
    bench.finds(buffer, zero);
    bench.mprotect(buffer, 'rw');
    deviceWrites(bench, buffer, otherWord);
    bench.finds(buffer, otherWord, { last: zero });
  },
};

export const anonWriteChild: Selftest = {
  name: 'anon_write_child',
  note: 'a device mirrors the parent here: it writes there, and the child must not see it',
  run: (newBench) => {
    for (const thp of ['never', 'always'] as const) {
      for (const before of ['migrated', 'not migrated'] as const) {
        const bench = newBench({ thp });
        const buffer = bench.map(bench.bufferPages, 'rw');
        bench.fills(buffer, patternWord);
        if (before === 'migrated') {
          expectFields(
            bench.ask(0, { verb: 'migrate-to-dev', range: buffer }),
            { errno: 'OK', cpages: bench.bufferPages },
            'migrate to the device',
          );
        }
        bench.inChild(() => {
          bench.finds(buffer, patternWord, { who: 'cpu1' });
          deviceWrites(bench, buffer, otherWord);
          bench.finds(buffer, patternWord, { who: 'cpu1' });
        });
        bench.finds(buffer, otherWord, { last: zero });
      }
    }
  },
};

export const anonWriteChildShared: Selftest = {
  name: 'anon_write_child_shared',
  note: 'a device mirrors the parent here: it writes there, and the child must see it',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw', 'anon-shared');
    bench.fills(buffer, patternWord);
    bench.inChild(() => {
      bench.finds(buffer, patternWord, { who: 'cpu1' });
      deviceWrites(bench, buffer, otherWord);
      bench.finds(buffer, otherWord, { last: zero, who: 'cpu1' });
    });
    bench.finds(buffer, otherWord, { last: zero });
  },
};

export const anonReadMultiple: Selftest = {
  name: 'anon_read_multiple',
  run: (newBench) => {
    const bench = newBench();
    for (let round = 0; round < ROUNDS; round += 1) {
      const wordNow = (at: number) => patternWord(at) + BigInt(round);
      const buffer = bench.map(bench.bufferPages, 'rw');
      bench.fills(buffer, wordNow);
      expectFields(
        bench.ask(0, { verb: 'read', range: buffer }),
        { errno: 'OK', cpages: bench.bufferPages, faults: 1, values: words(buffer, wordNow) },
        `read ${round}`,
      );
      bench.munmap(buffer);
    }
  },
};

/** Of the race between reading and unmapping: many small buffers show more interleavings than one large one. */
const TEARDOWN_ROUNDS = 100;
const TEARDOWN_PAGES = 16;

export const anonTeardown: Selftest = {
  name: 'anon_teardown',
  note: `${TEARDOWN_ROUNDS} schedules of a buffer of ${TEARDOWN_PAGES} pages`,
  run: (newBench) => {
    const bench = newBench();
    for (let round = 0; round < TEARDOWN_ROUNDS; round += 1) {
      const buffer = bench.map(TEARDOWN_PAGES, 'rw');
      bench.fills(buffer, patternWord);
      const half = pageRange(pageIndex(buffer.first + TEARDOWN_PAGES / 2), buffer.end);
      const { scheduler } = bench.world;
      const read = scheduler.spawn(
        'dev0',
        'read',
        bench.verbTask(0, { verb: 'read', range: buffer }),
      );
      scheduler.spawn('cpu0', 'munmap', cpuOf(bench.world, 'cpu0').munmap(half));
      if (scheduler.run(randomPolicy(round), STEP_LENGTH_MAX) !== 'idle') {
        throw new SelftestFailure(`round ${round} goes in circles`);
      }
      if (read.state !== 'done') throw new SelftestFailure(`round ${round}: the read does not end`);
      const result = read.result as DmirrorResult;
      const outcome =
        result.errno === 'OK'
          ? { cpages: TEARDOWN_PAGES, values: words(buffer, patternWord) }
          : { errno: 'EFAULT' as const };
      expectFields(result, outcome, `read of round ${round}`);
      bench.atRest();
      bench.munmap(pageRange(buffer.first, half.first));
    }
  },
};

/** Whole pages: a word, then zeros. */
export function deviceWrites(
  bench: SelftestBench,
  range: { readonly first: number; readonly end: number } & Parameters<typeof words>[0],
  wordOf: (at: number) => bigint,
): void {
  expectFields(
    bench.ask(0, { verb: 'write', range, values: words(range, wordOf) }),
    { errno: 'OK', cpages: range.end - range.first, faults: 1 },
    'write',
  );
}
