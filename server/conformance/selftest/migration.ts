/** Memory moves to a device and back. Source of what must hold: hmm-tests.c, migrate*, file_*, hmm_gup_test. */
import { type PageRange, pageIndex, pageRange, pagesFrom } from '../../vocabulary/address.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { expectFields, type SelftestBench } from './bench.ts';
import type { Selftest } from './selftest.ts';
import { patternWord, words, zero } from './words.ts';

const ROUNDS = 10;

export const migrate: Selftest = {
  name: 'migrate',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    bench.finds(buffer, patternWord);
  },
};

export const migrateFilePrivate: Selftest = {
  name: 'migrate_file_private',
  run: (newBench) => {
    const bench = newBench();
    bench.createFile(Array.from({ length: bench.bufferPages }, () => pageOfU64(0n)));
    const buffer = bench.map(bench.bufferPages, 'rw', 'file-private');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    bench.finds(buffer, patternWord);
  },
};

export const migrateFault: Selftest = {
  name: 'migrate_fault',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    bench.finds(
      pageRange(buffer.first, pageIndex(buffer.first + bench.bufferPages / 2)),
      patternWord,
    );
    migrates(bench, buffer);
    bench.finds(buffer, patternWord);
  },
};

export const migrateRelease: Selftest = {
  name: 'migrate_release',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    expectFields(bench.ask(0, { verb: 'release' }), { errno: 'OK' }, 'release');
    bench.finds(buffer, patternWord);
  },
};

export const migrateShared: Selftest = {
  name: 'migrate_shared',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(bench.bufferPages, 'rw', 'anon-shared');
    expectFields(
      bench.ask(0, { verb: 'migrate-to-dev', range: buffer }),
      { errno: 'ENOENT' },
      'migrate shared memory',
    );
  },
};

export const migrateMixed: Selftest = {
  name: 'migrate_mixed',
  run: (newBench) => {
    const bench = newBench();
    const buffer = bench.map(6, 'none');
    const page = (at: number, count = 1) => pagesFrom(pageIndex(buffer.first + at), count);
    expectFields(
      bench.ask(1, { verb: 'migrate-to-dev', range: buffer }),
      { errno: 'EINVAL' },
      'migrate protected memory',
    );
    bench.munmap(page(1));
    expectFields(
      bench.ask(1, { verb: 'migrate-to-dev', range: page(0, 3) }),
      { errno: 'EINVAL' },
      'migrate across a hole',
    );
    const three = () => 3n;
    bench.mprotect(page(2), 'r');
    bench.finds(page(2), zero);
    bench.mprotect(page(3), 'rw');
    bench.fills(page(3), three);
    bench.mprotect(page(3), 'r');
    bench.mprotect(page(4, 2), 'rw');
    bench.fills(page(4, 2), three);
    expectFields(
      bench.ask(1, { verb: 'migrate-to-dev', range: page(2, 4) }),
      { errno: 'OK', cpages: 4, values: ['0x0', '0x3', '0x3', '0x3'] },
      'migrate a zero page, a read-only page and two others',
    );
    expectFields(
      bench.ask(0, { verb: 'migrate-to-dev', range: page(5) }),
      { errno: 'ENOENT' },
      "migrate a page of the other device's",
    );
  },
};

export const migrateMultiple: Selftest = {
  name: 'migrate_multiple',
  run: (newBench) => {
    const bench = newBench();
    for (let round = 0; round < ROUNDS; round += 1) {
      const buffer = bench.map(bench.bufferPages, 'rw');
      bench.fills(buffer, patternWord);
      migrates(bench, buffer);
      bench.finds(buffer, patternWord);
      bench.munmap(buffer);
    }
  },
};

export const fileRead: Selftest = {
  name: 'file_read',
  run: (newBench) => {
    const bench = newBench();
    bench.createFile(
      Array.from({ length: bench.bufferPages }, (_, at) => pageOfU64(patternWord(at))),
    );
    const buffer = bench.map(bench.bufferPages, 'r', 'file-shared');
    expectFields(
      bench.ask(0, { verb: 'read', range: buffer }),
      { errno: 'OK', cpages: bench.bufferPages, faults: 1, values: words(buffer, patternWord) },
      'read',
    );
  },
};

export const fileWrite: Selftest = {
  name: 'file_write',
  note: 'the file is read through a second mapping',
  run: (newBench) => {
    const bench = newBench();
    bench.createFile(Array.from({ length: bench.bufferPages }, () => pageOfU64(0n)));
    const buffer = bench.map(bench.bufferPages, 'rw', 'file-shared');
    expectFields(
      bench.ask(0, { verb: 'write', range: buffer, values: words(buffer, patternWord) }),
      { errno: 'OK', cpages: bench.bufferPages, faults: 1 },
      'write',
    );
    bench.finds(buffer, patternWord, { last: zero });
    bench.finds(bench.map(bench.bufferPages, 'r', 'file-shared', bench.bufferPages), patternWord, {
      last: zero,
    });
  },
};

/** Every page goes to device 0, which reads what was there. */
export function migrates(bench: SelftestBench, range: PageRange, wordOf = patternWord): void {
  expectFields(
    bench.ask(0, { verb: 'migrate-to-dev', range }),
    { errno: 'OK', cpages: range.end - range.first, values: words(range, wordOf) },
    'migrate to the device',
  );
}
