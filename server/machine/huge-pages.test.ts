/** Transparent huge pages as a program sees them: machine.thp is 'always'. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../../clients/drivers/dmirror/dmirror.ts';
import type { Dmirror } from '../../clients/drivers/dmirror/dmirror-state.ts';
import { type DmirrorVerb, performVerb } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import type { CpuApi } from '../abi/cpu-api.ts';
import { framesInUse, hasFlag, PAGE_SWAPBACKED } from '../kernel/memory/frames.ts';
import { blockOf, isHuge, readPte, writePte } from '../kernel/memory/page-table.ts';
import { PTE_NONE, ptePfn } from '../kernel/memory/pte.ts';
import { lock } from '../task/lock.ts';
import type { Task } from '../task/task.ts';
import { addressOf, type PageRange, pageIndex, pagesFrom } from '../vocabulary/address.ts';
import { leftBehind } from './oracles/left-behind.ts';
import { cpuOf, deviceOf, newWorld, pinsOf, runTask, type World } from './world.ts';

/** The first page of a 2 MiB block. */
const BLOCK = pageIndex(0x100200);
const HUGE = 512;

interface Bench {
  readonly world: World;
  readonly cpu: CpuApi;
  readonly gpu: Dmirror;
}

function bench(): Bench {
  const world = newWorld({ config: { thp: 'always' } });
  const api = deviceOf(world, 'gpu0', () => dmirrorDriver(gpu));
  const gpu: Dmirror = newDmirror({ api, context: world.context, deviceNumber: 0 });
  assert.ok(run(world, dmirrorOpen(gpu)).ok);
  const cpu = cpuOf(world, 'cpu0');
  assert.ok(
    run(world, cpu.mmap({ range: pages(0, 2 * HUGE), prot: 'rw', kind: 'anon-private' })).ok,
  );
  return { world, cpu, gpu };
}

function run<T>(world: World, task: Task<T>): T {
  const ran = runTask(world, 'test', 'test', task);
  if (ran.kind === 'done') return ran.value;
  throw new Error(`stuck: ${ran.waiting.join('; ')}`);
}

function pages(first: number, count: number): PageRange {
  return pagesFrom(pageIndex(BLOCK + first), count);
}

function address(page: number) {
  return addressOf(pageIndex(BLOCK + page));
}

function prots({ world, gpu }: Bench, range: PageRange): readonly string[] | undefined {
  const verb: DmirrorVerb = { verb: 'snapshot', range };
  return run(world, performVerb(gpu, verb)).prot;
}

function load({ world, cpu }: Bench, page: number): bigint | string {
  const loaded = run(world, cpu.load(address(page)));
  return loaded.kind === 'done' ? loaded.value : loaded.signal;
}

function assertClean(world: World): void {
  assert.deepEqual(world.oracles.violations, []);
  assert.deepEqual(world.context.lockOrderViolations, []);
  assert.deepEqual(leftBehind(world.kernel, pinsOf(world)), []);
}

test('a read maps the huge zero page, a write a huge page; snapshots say PMD', () => {
  const b = bench();
  assert.equal(load(b, 3), 0n);
  run(b.world, b.cpu.store(address(HUGE + 1), 7n));
  assert.deepEqual(prots(b, pages(0, 2)), ['read+pmd', 'read+pmd']);
  assert.deepEqual(prots(b, pages(HUGE, 2)), ['write+pmd', 'write+pmd']);
  assertClean(b.world);
});

test('a write to the huge zero page splits it and copies one small page', () => {
  const b = bench();
  load(b, 0);
  run(b.world, b.cpu.store(address(5), 9n));
  assert.deepEqual(prots(b, pages(4, 3)), ['zero+read', 'write', 'zero+read']);
  assert.equal(load(b, 5), 9n);
  assertClean(b.world);
});

test('migration splits a huge page; the rest stays in system memory', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(1), 7n));
  const moved = run(b.world, performVerb(b.gpu, { verb: 'migrate-to-dev', range: pages(0, 2) }));
  assert.deepEqual(moved.values, ['0x0', '0x7']);
  assert.deepEqual(prots(b, pages(0, 3)), [
    'dev-private-local+write',
    'dev-private-local+write',
    'write',
  ]);
  assert.equal(load(b, 1), 7n);
  assertClean(b.world);
});

test('a huge page with a pinned part does not migrate and stays huge', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(1), 7n));
  assert.ok(run(b.world, b.cpu.pin(1, pages(9, 1), 'longterm')).ok);
  const moved = run(b.world, performVerb(b.gpu, { verb: 'migrate-to-dev', range: pages(0, 2) }));
  assert.equal(moved.errno, 'ENOENT');
  assert.ok(isHuge(b.world.mm.table, BLOCK));
  assertClean(b.world);
});

test('fork shares a huge page; the write of either side copies a small page', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(0), 1n));
  assert.ok(run(b.world, b.cpu.fork('child')).ok);
  const child = cpuOf(b.world, 'child');
  run(b.world, child.store(address(0), 5n));
  assert.equal(load(b, 0), 1n);
  assert.deepEqual(run(b.world, child.load(address(0))), { kind: 'done', value: 5n });
  run(b.world, child.exit());
  run(b.world, b.cpu.store(address(HUGE - 1), 2n));
  assert.ok(isHuge(b.world.mm.table, BLOCK), 'the parent alone again: reused as a whole');
  assertClean(b.world);
});

test('mprotect, partial munmap, mremap and DONTNEED leave nothing behind', () => {
  const b = bench();
  const { world, cpu } = b;
  run(world, cpu.store(address(0), 6n));
  assert.ok(run(world, cpu.mprotect(pages(0, HUGE), 'r')).ok);
  assert.equal(load(b, 0), 6n);
  assert.ok(run(world, cpu.mprotect(pages(0, HUGE), 'rw')).ok);
  assert.ok(isHuge(world.mm.table, BLOCK));
  assert.ok(run(world, cpu.munmap(pages(10, 5))).ok);
  assert.equal(load(b, 12), 'SIGSEGV');
  assert.equal(load(b, 0), 6n);
  assert.ok(run(world, cpu.mremap(pages(0, 8), pageIndex(BLOCK + 8 * HUGE))).ok);
  assert.equal(load(b, 8 * HUGE), 6n);
  run(world, cpu.store(address(HUGE), 3n));
  assert.ok(run(world, cpu.madvise(pages(HUGE, HUGE), 'DONTNEED')).ok);
  assert.equal(load(b, HUGE), 0n);
  assertClean(world);
  run(world, cpu.exit());
  assert.equal(framesInUse(world.kernel.frames).length, 0);
});

test('[PT2] a small entry is not written where a huge one stands', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(0), 1n));
  const { kernel, mm, context } = b.world;
  const block = blockOf(mm.table, BLOCK);
  function* write(): Task<void> {
    const held = yield* lock(context, 'test.ptl', block.ptl);
    writePte(held, mm.table, block, BLOCK, PTE_NONE);
  }
  assert.ok(kernel.thp === 'always');
  assert.throws(() => run(b.world, write()), /PT2/);
});

test('a huge page that is freed lazily stays huge, and goes if nobody writes to it', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(1), 7n));
  assert.ok(run(b.world, b.cpu.madvise(pages(0, HUGE), 'FREE')).ok);
  assert.ok(isHuge(b.world.mm.table, BLOCK));
  run(b.world, b.cpu.store(address(2), 8n));
  assert.ok(run(b.world, b.cpu.madvise(pages(0, HUGE), 'FREE')).ok);
  // A store behind it makes its part dirty again: that one is kept.
  run(b.world, b.cpu.store(address(3), 9n));
  assert.equal(load(b, 3), 9n);
  assert.equal(hasFlag(b.world.kernel.frames, frameAt(b, 1), PAGE_SWAPBACKED), false);
  assertClean(b.world);
});

test('a part of a huge page that is freed lazily is split off', () => {
  const b = bench();
  run(b.world, b.cpu.store(address(1), 7n));
  assert.ok(run(b.world, b.cpu.madvise(pages(0, 2), 'FREE')).ok);
  assert.ok(!isHuge(b.world.mm.table, BLOCK));
  assertClean(b.world);
});

function frameAt({ world }: Bench, page: number) {
  return ptePfn(readPte(world.mm.table, pageIndex(BLOCK + page)));
}
