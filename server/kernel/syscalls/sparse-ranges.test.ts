/** Calls on ranges of which hardly anything exists: what they look at is what exists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuApi } from '../../abi/cpu-api.ts';
import type { Task } from '../../task/task.ts';
import { type PageRange, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { OK, type Result } from '../../vocabulary/errno.ts';
import { cpuApi, load, newKernelWorld, run, store } from '../kernel-world.fixture.ts';
import type { PtePage } from '../memory/page-table.ts';

const FIRST = pageIndex(2 ** 32);
/** 4 TiB of addresses. */
const WIDE = pagesFrom(FIRST, 2 ** 30);
const TOUCHED = pageIndex(2 ** 32 + 2 ** 29 + 5);
/** Page-table pages that a call may look for: some for each place of the upper levels, and for each entry. */
const LOOKS_MAX = 50_000;

/** Counts how often a page-table page is looked for. */
function countLooks(pages: Map<number, PtePage>): { looks: number } {
  const counted = { looks: 0 };
  const get = pages.get.bind(pages);
  pages.get = (number) => {
    counted.looks += 1;
    return get(number);
  };
  return counted;
}

const CALLS: { readonly [name: string]: (cpu: CpuApi, range: PageRange) => Task<Result<unknown>> } =
  {
    munmap: (cpu, range) => cpu.munmap(range),
    mremap: (cpu, range) => cpu.mremap(range, pageIndex(2 ** 34)),
    'madvise DONTNEED': (cpu, range) => cpu.madvise(range, 'DONTNEED'),
    'madvise FREE': (cpu, range) => cpu.madvise(range, 'FREE'),
    'madvise PAGEOUT': (cpu, range) => cpu.madvise(range, 'PAGEOUT'),
    mprotect: (cpu, range) => cpu.mprotect(range, 'r'),
    fork: (cpu) => cpu.fork('child'),
    exit: (cpu) => cpu.exit(),
  };

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} of 2^30 pages of which one exists looks at what exists`, () => {
    const world = newKernelWorld();
    const cpu = cpuApi(world);
    assert.deepEqual(run(world, cpu.mmap({ range: WIDE, prot: 'rw', kind: 'anon-private' })), OK);
    store(world, TOUCHED, 7n);
    assert.equal(load(world, TOUCHED), 7n);
    const counted = countLooks(world.mm.table.pages);
    assert.ok(run(world, call(cpu, WIDE)).ok);
    assert.ok(counted.looks < LOOKS_MAX, `${counted.looks} looks`);
  });
}

test('what mremap moves out of a sparse range is at its new place', () => {
  const world = newKernelWorld();
  const cpu = cpuApi(world);
  run(world, cpu.mmap({ range: WIDE, prot: 'rw', kind: 'anon-private' }));
  store(world, TOUCHED, 7n);
  store(world, FIRST, 8n);
  assert.deepEqual(run(world, cpu.mremap(WIDE, pageIndex(2 ** 34))), OK);
  const moved = pageIndex(2 ** 34 + TOUCHED - FIRST);
  assert.deepEqual([load(world, moved), load(world, pageIndex(2 ** 34))], [7n, 8n]);
  assert.equal(load(world, TOUCHED), 'SIGSEGV');
});
