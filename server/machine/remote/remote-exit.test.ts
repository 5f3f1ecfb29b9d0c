/** The process that all devices mirror stays; a forked child may exit, and is refused whatever it asks afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteHarness } from './remote-machine.fixture.ts';

const ADDRESS = '0x100200000';
const REGION = { address: ADDRESS, pages: 2, prot: 'rw', kind: 'anon-private' };

function labWithChild(): RemoteHarness {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  assert.deepEqual(harness.result('cpu0', 'mmap', REGION), {});
  assert.deepEqual(harness.result('cpu0', 'store', { address: ADDRESS, value: '0x7' }), {});
  assert.deepEqual(harness.result('cpu0', 'fork', { child: 'child' }), {});
  return harness;
}

test('a thread of the first process cannot exit, is told why, and goes on', () => {
  const harness = labWithChild();
  harness.attach('cpu1', 'cpu');
  for (const cpu of ['cpu0', 'cpu1']) {
    const id = harness.ask(cpu, 'exit', {});
    const outcome = harness.outcomeOf(id);
    assert.ok(outcome !== 'waits' && !outcome.ok && 'bound' in outcome);
    assert.equal(outcome.errno, 'EPERM');
    assert.match(String(outcome.bound), /forked child/);
    assert.deepEqual(harness.result(cpu, 'load', { address: ADDRESS }), { value: '0x7' });
  }
});

test('a forked child exits; what it asks afterwards is refused, and the lab goes on', () => {
  const harness = labWithChild();
  harness.attach('child', 'cpu');
  assert.deepEqual(harness.result('child', 'exit', {}), {});
  assert.equal(harness.refusal('child', 'mmap', REGION), 'bad-range params.address');
  assert.equal(harness.refusal('child', 'exit', {}), 'bad-range params');
  assert.deepEqual(harness.result('child', 'load', { address: ADDRESS }), { signal: 'SIGSEGV' });
  assert.deepEqual(harness.result('cpu0', 'load', { address: ADDRESS }), { value: '0x7' });
});
