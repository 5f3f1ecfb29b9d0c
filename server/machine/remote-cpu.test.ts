import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuMethod } from '../protocol/cpu-requests.ts';
import { RemoteHarness } from './remote-harness.ts';

const REGION = { address: '0x100200000', pages: 2 };

function withCpu(): RemoteHarness {
  const harness = new RemoteHarness();
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
