/** A lab that devices join and leave for ever: what one had is there for the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteHarness } from './remote-machine.fixture.ts';

const DEVICE_PFN_BASE = 2 ** 23;
/** A 64th of all that a machine has. */
const FRAMES = 4_096;
const PAGE = 0x100200;
const RANGE = { first: PAGE, end: PAGE + 1 };

test('10,000 devices join, take private memory and leave, one after the other', () => {
  const harness = new RemoteHarness();
  for (let at = 0; at < 10_000; at += 1) {
    const name = `phone${at}`;
    harness.attach(name);
    assert.equal(harness.result(name, 'memremap_pages', { count: FRAMES }).first, DEVICE_PFN_BASE);
    harness.result(name, 'mmu_interval_notifier_insert', { range: RANGE });
    harness.detach(name);
    harness.responses.length = 0;
  }
  const { kernel, oracles, contract, mm } = harness.machine.world;
  assert.deepEqual(harness.leftBehind(), []);
  assert.deepEqual(
    [
      kernel.pgmaps.length,
      kernel.frames.device.used,
      kernel.cutOff.size,
      mm.subscriptions.itree.size,
      oracles.mirrors.byDevice.size,
      contract === 'off' ? 0 : contract.devices.size,
    ],
    [0, 0, 0, 0, 0, 0],
  );
});

test('devices that leave in any order leave room for one that takes all of it', () => {
  const harness = new RemoteHarness();
  const names = Array.from({ length: 64 }, (_, at) => `gpu${at}`);
  for (const name of names) {
    harness.attach(name);
    harness.result(name, 'memremap_pages', { count: FRAMES });
  }
  harness.attach('late');
  assert.equal(
    harness.refusal('late', 'memremap_pages', { count: 1 }),
    'out-of-memory params.count',
  );
  const odd = names.filter((_, at) => at % 2 === 1);
  const even = names.filter((_, at) => at % 2 === 0);
  for (const name of odd) harness.detach(name);
  assert.equal(
    harness.refusal('late', 'memremap_pages', { count: FRAMES + 1 }),
    'out-of-memory params.count',
  );
  for (const name of even.reverse()) harness.detach(name);
  const all = harness.result('late', 'memremap_pages', { count: 64 * FRAMES });
  assert.equal(all.first, DEVICE_PFN_BASE);
});

test('memory goes with the last page that is in use, and not before', () => {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  const region = { address: `0x${PAGE.toString(16)}000`, pages: 1 };
  harness.result('cpu0', 'mmap', { ...region, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: region.address, value: '0x7' });
  harness.attach('gpu0');
  const { first } = harness.result('gpu0', 'memremap_pages', { count: FRAMES });
  harness.result('gpu0', 'mmu_interval_notifier_insert', { range: RANGE });
  harness.result('gpu0', 'mmap_read_lock', {});
  const setup = { mm: 0, range: RANGE, select: 'system', fault_page: 'none' };
  const { migrate } = harness.result('gpu0', 'migrate_vma_setup', setup);
  harness.notify('gpu0', 'zone_device_page_init', { pfns: [first] });
  harness.result('gpu0', 'migrate_vma_pages', { migrate, dst: [first * 64 + 1 + 8] });
  harness.result('gpu0', 'migrate_vma_finalize', { migrate });
  harness.result('gpu0', 'mmap_read_unlock', {});
  // The fault holds a reference while it waits for the device, which leaves without an answer.
  const load = harness.ask('cpu0', 'load', { address: region.address });
  assert.equal(harness.questionTo('gpu0').method, 'migrate_to_ram');
  harness.detach('gpu0');
  assert.deepEqual(harness.outcomeOf(load), {
    ok: true,
    result: { signal: 'SIGBUS' },
    contents: [],
  });
  const { kernel } = harness.machine.world;
  assert.deepEqual([kernel.pgmaps.length, kernel.frames.device.used], [0, 0]);
});
