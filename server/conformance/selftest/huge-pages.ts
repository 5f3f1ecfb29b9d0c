/**
 * Transparent huge pages. Source of what must hold: hmm-tests.c, *_huge*, migrate_partial_unmap_fault and
 * migrate_remap_fault; several of these came after 6.1, where a huge page that migrates is split first.
 */
import { PTRS_PER_PTE, pageIndex, pageRange, pagesFrom } from '../../vocabulary/address.ts';
import { deviceWrites } from './anonymous-memory.ts';
import { expectFields } from './bench.ts';
import { migrates } from './migration.ts';
import type { Selftest } from './selftest.ts';
import { otherWord, patternWord, zero } from './words.ts';

const HUGE = { thp: 'always' } as const;
const OFFSETS = [0, PTRS_PER_PTE / 4, PTRS_PER_PTE / 2] as const;

export const anonWriteHuge: Selftest = {
  name: 'anon_write_huge',
  run: (newBench) => {
    const bench = newBench(HUGE);
    const buffer = bench.map(PTRS_PER_PTE, 'rw');
    deviceWrites(bench, buffer, otherWord);
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: buffer }),
      { prot: Array.from({ length: PTRS_PER_PTE }, () => 'write+pmd' as const) },
      'snapshot of a huge page',
    );
    bench.finds(buffer, otherWord, { last: zero });
  },
};

export const migrateAnonHugeEmpty: Selftest = {
  name: 'migrate_anon_huge_empty',
  run: (newBench) => {
    const bench = newBench(HUGE);
    migrates(bench, bench.map(PTRS_PER_PTE, 'r'), zero);
  },
};

export const migrateAnonHugeZero: Selftest = {
  name: 'migrate_anon_huge_zero',
  run: (newBench) => {
    const bench = newBench(HUGE);
    const buffer = bench.map(PTRS_PER_PTE, 'r');
    bench.finds(pagesFrom(buffer.first, 1), zero);
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: pagesFrom(buffer.first, 1) }),
      // The driver compares with the small zero page only.
      { prot: ['read+pmd'] },
      'snapshot of the huge zero page',
    );
    migrates(bench, buffer, zero);
    bench.finds(buffer, zero);
  },
};

export const migrateAnonHugeFree: Selftest = {
  name: 'migrate_anon_huge_free',
  run: (newBench) => {
    const bench = newBench(HUGE);
    const buffer = bench.map(PTRS_PER_PTE, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    bench.madvise(buffer, 'FREE');
  },
};

export const migrateAnonHugeFault: Selftest = {
  name: 'migrate_anon_huge_fault',
  note: 'as in 6.1 the page is split: the device sees no PMD flag',
  run: (newBench) => {
    const bench = newBench(HUGE);
    const buffer = bench.map(PTRS_PER_PTE, 'rw');
    bench.fills(buffer, patternWord);
    migrates(bench, buffer);
    expectFields(
      bench.ask(0, { verb: 'snapshot', range: buffer }),
      { prot: Array.from({ length: PTRS_PER_PTE }, () => 'dev-private-local+write' as const) },
      'snapshot',
    );
    bench.finds(buffer, patternWord);
  },
};

export const migratePartialUnmapFault: Selftest = {
  name: 'migrate_partial_unmap_fault',
  run: (newBench) => {
    for (const thp of ['never', 'always'] as const) {
      for (const offset of OFFSETS) {
        const bench = newBench({ thp });
        const buffer = bench.map(PTRS_PER_PTE, 'rw');
        bench.fills(buffer, patternWord);
        migrates(bench, buffer);
        const hole = pagesFrom(pageIndex(buffer.first + offset), PTRS_PER_PTE / 2);
        bench.munmap(hole);
        const behind = hole.end - buffer.first;
        if (offset > 0) bench.finds(pageRange(buffer.first, hole.first), patternWord);
        if (hole.end < buffer.end) {
          bench.finds(pageRange(hole.end, buffer.end), (at) => patternWord(at + behind));
        }
      }
    }
  },
};

export const migrateRemapFault: Selftest = {
  name: 'migrate_remap_fault',
  note: 'without MREMAP_DONTUNMAP, which is not modelled',
  run: (newBench) => {
    for (const thp of ['never', 'always'] as const) {
      for (const moves of ['before', 'after'] as const) {
        for (const offset of OFFSETS) {
          const bench = newBench({ thp });
          const first = bench.map(PTRS_PER_PTE, 'rw');
          const to = pageIndex(first.end + offset);
          bench.fills(first, patternWord);
          const early = moves === 'before' ? bench.mremap(first, to) : first;
          migrates(bench, early);
          const late = moves === 'after' ? bench.mremap(early, to) : early;
          bench.finds(late, patternWord);
        }
      }
    }
  },
};
