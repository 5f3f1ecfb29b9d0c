/** The process that all devices mirror ends: what its clients ask afterwards is refused, and the lab goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteHarness } from './remote-machine.fixture.ts';

const ADDRESS = '0x100200000';
const PAGE = 0x100200;
const REGION = { address: ADDRESS, pages: 2, prot: 'rw', kind: 'anon-private' };

function answer(harness: RemoteHarness, actor: string, method: string, params: object): unknown {
  const id = harness.ask(actor, method, params);
  const outcome = harness.responses.find((response) => response.id === id)?.outcome;
  assert.ok(outcome !== undefined, `${method} has no answer`);
  return outcome.ok ? outcome.result : outcome.errno;
}

test('a device that asks after the exit is refused, and breaks no rule', () => {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  assert.deepEqual(answer(harness, 'cpu0', 'mmap', REGION), {});
  const all = { range: { first: 0, end: 2 ** 35 } };
  answer(harness, 'gpu0', 'mmu_interval_notifier_insert', all);
  assert.deepEqual(answer(harness, 'cpu0', 'store', { address: ADDRESS, value: '0x7' }), {});
  assert.deepEqual(answer(harness, 'cpu0', 'exit', {}), {});
  assert.deepEqual(answer(harness, 'gpu0', 'mmap_read_lock', {}), {});
  assert.equal(answer(harness, 'gpu0', 'find_vma', { page: PAGE }), 'ENOENT');
  const range = { first: PAGE, end: PAGE + 1 };
  const request = { mm: 0, range, select: 'system', faultPage: 'none' };
  assert.equal(answer(harness, 'gpu0', 'migrate_vma_setup', request), 'EINVAL');
  assert.deepEqual(answer(harness, 'gpu0', 'mmap_read_unlock', {}), {});
  assert.equal(answer(harness, 'cpu0', 'mmap', REGION), 'EINVAL');
  assert.equal(answer(harness, 'cpu0', 'exit', {}), 'EINVAL');
  assert.deepEqual(answer(harness, 'cpu0', 'load', { address: ADDRESS }), { signal: 'SIGSEGV' });
  harness.detach('gpu0');
  harness.detach('cpu0');
});
