import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelId } from '../../abi/kernel-ids.ts';
import { MIGRATE_PFN_WRITE, migratePfn } from '../../abi/migrate-pfn.ts';
import type { CpuMethod } from '../../protocol/cpu-requests.ts';
import { pfn } from '../../vocabulary/address.ts';
import { RemoteHarness } from './remote-machine.fixture.ts';

const REGION = { address: '0x100200000', pages: 2 };

function withCpu(kernel: KernelId = '6.1'): RemoteHarness {
  const harness = new RemoteHarness('stock', kernel);
  harness.attach('cpu0', 'cpu');
  return harness;
}

test('system calls and accesses answer as user space sees them', () => {
  const harness = withCpu();
  const cpu = (method: CpuMethod, params: object) => harness.result('cpu0', method, params);
  assert.deepEqual(cpu('load', { address: '0x100200000' }), { signal: 'SIGSEGV' });
  assert.deepEqual(cpu('mmap', { ...REGION, prot: 'rw', kind: 'anon-private' }), {});
  assert.deepEqual(cpu('store', { address: '0x100200008', value: '0xffffffffffffffff' }), {});
  assert.deepEqual(cpu('load', { address: '0x100200008' }), { value: '0xffffffffffffffff' });
  assert.deepEqual(cpu('mprotect', { ...REGION, prot: 'r' }), {});
  assert.deepEqual(cpu('store', { address: '0x100200000', value: '0x1' }), { signal: 'SIGSEGV' });
  assert.deepEqual(cpu('mremap', { ...REGION, to: '0x100300000' }), {});
  assert.deepEqual(cpu('load', { address: '0x100300008' }), { value: '0xffffffffffffffff' });
  assert.deepEqual(cpu('munmap', { ...REGION, address: '0x100300000' }), {});
  assert.deepEqual(harness.leftBehind(), []);
});

test('a failure of the kernel names the errno and the argument', () => {
  const harness = withCpu();
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  assert.equal(
    harness.refusal('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' }),
    'exists params.address',
  );
  assert.equal(harness.refusal('cpu0', 'unpin', { id: 7 }), 'bad-range params.id');
});

test('a range that leaves the address space is refused, with how many pages are left', () => {
  const harness = withCpu();
  const last = '0x7ffffffff000';
  const id = harness.ask('cpu0', 'munmap', { address: last, pages: 2 });
  const outcome = harness.outcomeOf(id);
  assert.ok(outcome !== 'waits' && !outcome.ok && 'bound' in outcome);
  assert.equal(outcome.bound, 'a whole number from 1 to 1');
  assert.equal(
    harness.refusal('cpu0', 'mremap', { address: '0x1000', pages: 2, to: last }),
    'bad-params params.to',
  );
});

test('a CPU that goes gives its pins back, and its address space stays', () => {
  const harness = withCpu();
  harness.attach('cpu1', 'cpu');
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  const pinned = harness.result('cpu1', 'pin', { ...REGION, id: 1, mode: 'longterm' });
  assert.deepEqual(pinned, { pinned: 2 });
  harness.detach('cpu1');
  assert.deepEqual(harness.leftBehind(), []);
  assert.deepEqual(harness.result('cpu0', 'load', { address: REGION.address }), { value: '0x0' });
});

test('a CPU that touches a missing page waits for another, which is the monitor', () => {
  const harness = withCpu();
  harness.attach('cpu1', 'cpu');
  const [page, next] = [{ address: REGION.address }, { address: '0x100201000' }];
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  assert.equal(harness.refusal('cpu0', 'uffd-zeropage', page), 'not-found params.address');
  assert.deepEqual(harness.result('cpu0', 'uffd-register', REGION), {});
  const loads = harness.ask('cpu1', 'load', page);
  assert.equal(harness.outcomeOf(loads), 'waits');
  assert.deepEqual(harness.result('cpu0', 'uffd-wake', REGION), {});
  assert.equal(harness.outcomeOf(loads), 'waits', 'it has looked again, and waits again');
  assert.deepEqual(harness.result('cpu0', 'uffd-copy', { ...page, value: '0x7' }), {});
  const loaded = harness.outcomeOf(loads);
  assert.deepEqual(loaded !== 'waits' && loaded.ok && loaded.result, { value: '0x7' });
  assert.equal(
    harness.refusal('cpu0', 'uffd-copy', { ...page, value: '0x8' }),
    'exists params.address',
  );
  const second = harness.ask('cpu1', 'load', next);
  assert.deepEqual(harness.result('cpu0', 'uffd-zeropage', next), {});
  assert.deepEqual(harness.result('cpu1', 'load', next), { value: '0x0' });
  assert.notEqual(harness.outcomeOf(second), 'waits');

  harness.result('cpu0', 'madvise', { ...REGION, advice: 'DONTNEED' });
  const third = harness.ask('cpu1', 'load', next);
  assert.deepEqual(harness.result('cpu0', 'uffd-unregister', { ...next, pages: 1 }), {});
  assert.notEqual(harness.outcomeOf(third), 'waits');
  const fourth = harness.ask('cpu1', 'load', page);
  assert.equal(harness.outcomeOf(fourth), 'waits', 'the first page is registered still');
  harness.result('cpu0', 'uffd-unregister', REGION);
  assert.notEqual(harness.outcomeOf(fourth), 'waits');
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});

test('when a monitor leaves, nobody waits for it any more, and its own loads keep it from nothing', () => {
  const harness = withCpu();
  harness.attach('cpu1', 'cpu');
  const page = { address: REGION.address };
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'uffd-register', REGION);
  harness.ask('cpu0', 'load', page);
  const loads = harness.ask('cpu1', 'load', page);
  assert.equal(harness.outcomeOf(loads), 'waits');
  harness.detach('cpu0');
  const loaded = harness.outcomeOf(loads);
  assert.deepEqual(loaded !== 'waits' && loaded.ok && loaded.result, { value: '0x0' });
  harness.attach('cpu0', 'cpu');
  assert.deepEqual(harness.result('cpu0', 'load', page), { value: '0x0' });
  assert.deepEqual(harness.machine.world.kernel.mms.get(0)?.userfaults, { ranges: [], waits: [] });
});

test('regions of userfaultfd that do not touch are bounded, and those that do are one', () => {
  const harness = withCpu();
  const at = (page: number) => ({ address: `0x${((page + 1) * 4_096).toString(16)}`, pages: 1 });
  for (let page = 0; page < 2_048; page += 2) harness.result('cpu0', 'uffd-register', at(page));
  assert.equal(harness.refusal('cpu0', 'uffd-register', at(2_048)), 'out-of-memory params.address');
  harness.result('cpu0', 'uffd-register', { ...at(0), pages: 2_048 });
  assert.equal(harness.machine.world.mm.userfaults.ranges.length, 1);
  harness.result('cpu0', 'uffd-register', at(2_048));
});

test('a monitor moves a page to where it is missed', () => {
  const harness = withCpu('6.12');
  harness.attach('cpu1', 'cpu');
  const to = '0x100201000';
  const [move, there] = [{ address: REGION.address, pages: 1, to }, { address: to }];
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: REGION.address, value: '0x2a' });
  // Not registered.
  assert.equal(harness.refusal('cpu0', 'uffd-move', move), 'bad-range params.address');
  harness.result('cpu0', 'uffd-register', { ...there, pages: 1 });
  const loads = harness.ask('cpu1', 'load', there);
  assert.equal(harness.outcomeOf(loads), 'waits');
  assert.deepEqual(harness.result('cpu0', 'uffd-move', move), {});
  const loaded = harness.outcomeOf(loads);
  assert.deepEqual(loaded !== 'waits' && loaded.ok && loaded.result, { value: '0x2a' });
  assert.equal(harness.refusal('cpu0', 'uffd-move', move), 'exists params.address');
  assert.deepEqual(harness.result('cpu1', 'load', { address: REGION.address }), { value: '0x0' });
  assert.deepEqual(harness.machine.world.oracles.violations, []);
  assert.deepEqual(harness.leftBehind(), []);
});

test('a CPU asks for what the kernel does by itself', () => {
  const harness = withCpu();
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  // Less than a block: nothing to do. A block of no file: refused.
  assert.deepEqual(harness.result('cpu0', 'khugepaged', REGION), {});
  const block = { address: REGION.address, pages: 512 };
  assert.equal(harness.refusal('cpu0', 'khugepaged', block), 'bad-range params.address');
  assert.deepEqual(harness.result('cpu0', 'swapoff', {}), {});
  assert.equal(harness.refusal('cpu0', 'swapoff', {}), 'bad-range params');
  assert.deepEqual(harness.leftBehind(), []);
});

/** The first page of REGION is in gpu0's memory: whoever loads it waits for gpu0. */
function withPageInDevice(): RemoteHarness {
  const harness = withCpu();
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: REGION.address, value: '0x1' });
  harness.attach('gpu0');
  const { first } = harness.result('gpu0', 'memremap_pages', { count: 1 });
  harness.result('gpu0', 'mmap_read_lock', {});
  const { migrate } = harness.result('gpu0', 'migrate_vma_setup', {
    mm: harness.machine.world.mm.id,
    range: { first: 0x100200, end: 0x100201 },
    select: 'system',
    fault_page: 'none',
  });
  harness.notify('gpu0', 'zone_device_page_init', { pfns: [first] });
  const dst = [migratePfn(pfn(first), MIGRATE_PFN_WRITE)];
  harness.result('gpu0', 'migrate_vma_pages', { migrate, dst });
  harness.result('gpu0', 'migrate_vma_finalize', { migrate });
  harness.result('gpu0', 'mmap_read_unlock', {});
  return harness;
}

test('a child that is forked again at once is another thread than the one that still leaves', () => {
  const harness = withPageInDevice();
  const { world } = harness.machine;
  harness.result('cpu0', 'fork', { child: 'cpu1' });
  harness.attach('cpu1', 'cpu');
  const before = world.cpus.get('cpu1');
  const lingering = harness.ask('cpu1', 'load', { address: REGION.address });
  harness.detach('cpu1');
  assert.equal(harness.outcomeOf(lingering), 'waits');

  harness.result('cpu0', 'fork', { child: 'cpu1' });
  harness.attach('cpu1', 'cpu');
  const after = world.cpus.get('cpu1');
  assert.ok(before !== undefined && after !== undefined && after.mm !== before.mm);
  harness.answerError(harness.questionTo('gpu0'));
  // The first client is gone: its answer is not for the second one, which counts its requests anew.
  assert.equal(harness.outcomeOf(lingering), 'waits');
  assert.deepEqual(before.mm.tlbs, []);
  assert.deepEqual(after.mm.tlbs, [after.tlb]);
  assert.equal(world.cpus.get('cpu1'), after);

  harness.result('cpu1', 'store', { address: '0x100201000', value: '0x2' });
  assert.deepEqual(harness.result('cpu0', 'load', { address: '0x100201000' }), { value: '0x0' });
  assert.deepEqual(harness.result('cpu1', 'exit', {}), {});
  assert.deepEqual(world.oracles.violations, []);
});

test('a CPU that comes under the name of one that still leaves has a thread of its own', () => {
  const harness = withPageInDevice();
  const { world } = harness.machine;
  harness.attach('cpu1', 'cpu');
  const before = world.cpus.get('cpu1');
  harness.ask('cpu1', 'load', { address: REGION.address });
  harness.detach('cpu1');
  harness.attach('cpu1', 'cpu');
  harness.answerError(harness.questionTo('gpu0'));
  const after = world.cpus.get('cpu1');
  assert.ok(after !== undefined && after !== before);
  assert.ok(world.mm.tlbs.includes(after.tlb));
  assert.equal(world.mm.tlbs.length, 2);
  assert.deepEqual(harness.result('cpu1', 'load', { address: '0x100201000' }), { value: '0x0' });
});

test('what a child held counts for nothing once another one has its name', () => {
  const harness = withCpu();
  const page = { address: REGION.address };
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { ...page, value: '0x1' });
  harness.result('cpu0', 'fork', { child: 'cpu1' });
  harness.attach('cpu1', 'cpu');
  harness.result('cpu1', 'store', { ...page, value: '0x5' });
  harness.detach('cpu1');
  harness.result('cpu0', 'fork', { child: 'cpu1' });
  harness.attach('cpu1', 'cpu');
  harness.result('cpu1', 'fork', { child: 'cpu2' });
  harness.attach('cpu2', 'cpu');
  assert.deepEqual(harness.result('cpu2', 'load', page), { value: '0x1' });
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});
