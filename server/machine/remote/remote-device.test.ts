import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HMM_PFN_NONE, hmmPfnToPfn } from '../../abi/hmm-pfn.ts';
import { MIGRATE_PFN_WRITE, migratePfn } from '../../abi/migrate-pfn.ts';
import { ZERO_PFN } from '../../kernel/memory/frames.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import { pfn } from '../../vocabulary/address.ts';
import { pageOfU64, readU64 } from '../../vocabulary/page-contents.ts';
import { RemoteHarness } from './remote-machine.fixture.ts';

const PAGE = 0x100200;
const ADDRESS = '0x100200000';
const RANGE = { first: PAGE, end: PAGE + 1 };
const PAIR = { first: PAGE, end: PAGE + 2 };

/** A machine with two mapped pages, the first of which holds 0x2a. */
function mapped(patch = 'stock'): RemoteHarness {
  const harness = new RemoteHarness(patch);
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  harness.attach('gpu1');
  harness.result('cpu0', 'mmap', { address: ADDRESS, pages: 2, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: ADDRESS, value: '0x2a' });
  return harness;
}

function subscribed(harness: RemoteHarness, device: string) {
  return harness.result(device, 'mmu_interval_notifier_insert', { range: PAIR });
}

/** Faults the first page into the device's page table. Returns the frame. */
function faulted(harness: RemoteHarness, device: string): number {
  const { pfns } = harness.result(device, 'hmm_range_fault_unlocked', {
    ...subscribed(harness, device),
    range: RANGE,
    default_flags: 'fault-write',
  });
  const found = hmmPfnToPfn(pfns[0] ?? HMM_PFN_NONE);
  const entry = { state: 'mapped', pfn: found, access: 'write' };
  harness.notify(device, 'mirror_changed', { changes: [{ page: PAGE, entry }] });
  return found;
}

/** The pages of a migration to `device`, as far as `phase`. Returns the migration's number. */
function migrating(
  harness: RemoteHarness,
  device: string,
  phase: 'setup' | 'allocated' | 'pages' | 'finalized',
): number {
  const { first } = harness.result(device, 'memremap_pages', { count: 4 });
  harness.result(device, 'mmap_read_lock', {});
  const request = { mm: 0, range: PAIR, select: 'system', fault_page: 'none' };
  const { migrate, src } = harness.result(device, 'migrate_vma_setup', {
    ...request,
    mm: harness.machine.world.mm.id,
  });
  assert.equal(src.length, 2);
  if (phase === 'setup') return migrate;
  harness.notify(device, 'zone_device_page_init', { pfns: [first, first + 1] });
  if (phase === 'allocated') return migrate;
  const dst = [first, first + 1].map((frame) => migratePfn(pfn(frame), MIGRATE_PFN_WRITE));
  harness.result(device, 'migrate_vma_pages', { migrate, dst });
  if (phase === 'pages') return migrate;
  harness.result(device, 'migrate_vma_finalize', { migrate });
  harness.result(device, 'mmap_read_unlock', {});
  return migrate;
}

function loaded(harness: RemoteHarness, address = ADDRESS): unknown {
  return harness.result('cpu0', 'load', { address });
}

test('a whole fault: what the device reads by frame number is what the CPU wrote', () => {
  const harness = mapped();
  const pfn = faulted(harness, 'gpu0');
  harness.ask('gpu0', 'dma_read', { targets: [{ page: PAGE, pfn }] });
  const [page] = harness.responses.at(-1)?.contents ?? [];
  assert.equal(page === undefined ? -1n : readU64(page, 0), 0x2an);
  harness.result('gpu0', 'dma_write', { targets: [{ page: PAGE, pfn }] }, [pageOfU64(7n)]);
  assert.deepEqual(loaded(harness), { value: '0x7' });
});

for (const phase of ['setup', 'allocated', 'pages'] as const) {
  for (const how of ['detach', 'fence'] as const) {
    test(`a device that goes after ${phase} (${how}) restores the sources and leaks nothing`, () => {
      const harness = mapped();
      migrating(harness, 'gpu0', phase);
      const waiting = harness.ask('cpu0', 'mprotect', { address: ADDRESS, pages: 2, prot: 'rw' });
      assert.equal(harness.outcomeOf(waiting), 'waits');
      harness[how]('gpu0');
      assert.deepEqual(harness.outcomeOf(waiting), { ok: true, result: {}, contents: [] });
      assert.deepEqual(harness.leftBehind(), []);
      assert.deepEqual(loaded(harness), { value: '0x2a' });
      assert.deepEqual(loaded(harness, '0x100201000'), { value: '0x0' });
      assert.deepEqual(harness.machine.world.oracles.violations, []);
    });
  }
}

test('a request that waits when its device goes gives back what it gets', () => {
  const harness = mapped();
  harness.result('gpu1', 'mmap_read_lock', {});
  harness.ask('cpu0', 'mprotect', { address: ADDRESS, pages: 2, prot: 'r' });
  const waiting = harness.ask('gpu0', 'mmap_read_lock', {});
  assert.equal(harness.outcomeOf(waiting), 'waits');
  harness.detach('gpu0');
  harness.result('gpu1', 'mmap_read_unlock', {});
  assert.deepEqual(harness.leftBehind(), []);
});

test('a device that comes back before all is given back waits for that, and begins anew', () => {
  const harness = mapped();
  harness.result('gpu1', 'mmap_read_lock', {});
  harness.ask('cpu0', 'mprotect', { address: ADDRESS, pages: 2, prot: 'r' });
  const before = harness.ask('gpu0', 'mmap_read_lock', {});
  harness.fence('gpu0');
  harness.attach('gpu0');
  const after = harness.ask('gpu0', 'mmu_interval_notifier_insert', { range: PAIR });
  assert.deepEqual([harness.outcomeOf(before), harness.outcomeOf(after)], ['waits', 'waits']);
  harness.result('gpu1', 'mmap_read_unlock', {});
  assert.notEqual(harness.outcomeOf(before), 'waits');
  const inserted = harness.outcomeOf(after);
  assert.ok(inserted !== 'waits' && inserted.ok);
  assert.equal(harness.refusal('gpu0', 'mmap_read_unlock', {}), 'lock-not-held params');
  assert.deepEqual(harness.leftBehind(), []);
});

test('a lock is not let go of under a request or a migration that needs it', () => {
  const harness = mapped();
  const pfn = faulted(harness, 'gpu1');
  const migrate = migrating(harness, 'gpu0', 'setup');
  assert.equal(harness.refusal('gpu0', 'mmap_read_unlock', {}), 'in-use params');
  harness.result('gpu0', 'migrate_vma_finalize', { migrate });
  harness.silent.add('gpu1');
  const entry = { state: 'mapped', pfn, access: 'write' };
  harness.notify('gpu1', 'mirror_changed', { changes: [{ page: PAGE, entry }] });
  const { mm } = harness.machine.world;
  const setup = { mm: mm.id, range: RANGE, select: 'system', fault_page: 'none' };
  const waiting = harness.ask('gpu0', 'migrate_vma_setup', setup);
  assert.equal(harness.outcomeOf(waiting), 'waits');
  assert.equal(harness.refusal('gpu0', 'mmap_read_unlock', {}), 'in-use params');
  harness.detach('gpu0');
  harness.fence('gpu1');
  assert.deepEqual(harness.leftBehind(), []);
});

test('a migration that a device leaves open under a CPU fault ends with the fault', () => {
  const harness = mapped();
  migrating(harness, 'gpu0', 'finalized');
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  const question = harness.questionTo('gpu0');
  const { mm, pfn } = question.params as QuestionParams['migrate_to_ram'];
  const setup = { mm, range: RANGE, select: 'device-private', fault_page: pfn };
  const { migrate } = harness.result('gpu0', 'migrate_vma_setup', setup);
  harness.answer(question, { result: 'OK' });
  assert.equal(
    harness.refusal('gpu0', 'migrate_vma_finalize', { migrate }),
    'no-such-migration params.migrate',
  );
  // The page is still the device's, so the load faults again, as it would in Linux.
  assert.equal(harness.outcomeOf(load), 'waits');
  harness.answer(harness.questionTo('gpu0'), { result: 'EIO' });
  const outcome = harness.outcomeOf(load);
  assert.deepEqual(outcome !== 'waits' && outcome.ok && outcome.result, { signal: 'SIGBUS' });
  harness.detach('gpu0');
  assert.deepEqual(harness.leftBehind(), []);
});

test('what one request of a gone device gets may be what its next one waits for', () => {
  const harness = mapped();
  const protect = { address: ADDRESS, pages: 2, prot: 'r' };
  harness.result('gpu0', 'mmap_read_lock', {});
  for (let round = 0; round < 3; round += 1) {
    harness.ask('cpu0', 'mprotect', protect);
    harness.ask('gpu0', 'mmap_read_lock', {});
  }
  harness.detach('gpu0');
  assert.deepEqual(harness.leftBehind(), []);
});

test('a device that leaves reads as that in the log, one that is late as fenced', () => {
  const log = (how: 'detach' | 'fence') => {
    const harness = mapped();
    faulted(harness, 'gpu0');
    const { kept } = harness.machine.world.log;
    const from = kept.length;
    harness[how]('gpu0');
    return kept.slice(from).map(({ actor, kind }) => `${actor} ${kind}`);
  };
  assert.deepEqual(log('detach'), ['gpu0 detach', 'gpu0 mirror']);
  assert.deepEqual(log('fence'), ['gpu0 fenced', 'gpu0 mirror']);
});

test('a client that takes the name of a device that still leaves is not told what that one asked', () => {
  const harness = mapped();
  harness.result('gpu1', 'mmap_read_lock', {});
  harness.ask('cpu0', 'mprotect', { address: ADDRESS, pages: 2, prot: 'rw' });
  const lingering = harness.ask('gpu0', 'mmap_read_lock', {});
  harness.detach('gpu0');
  harness.attach('gpu0');
  const insert = harness.ask('gpu0', 'mmu_interval_notifier_insert', { range: PAIR });
  harness.result('gpu1', 'mmap_read_unlock', {});
  assert.equal(harness.outcomeOf(lingering), 'waits');
  const inserted = harness.outcomeOf(insert);
  assert.ok(inserted !== 'waits' && inserted.ok);
});

test('a CPU may take the name of a device that still leaves', () => {
  const harness = mapped();
  harness.result('gpu1', 'mmap_read_lock', {});
  harness.ask('cpu0', 'mprotect', { address: ADDRESS, pages: 2, prot: 'rw' });
  harness.ask('gpu0', 'mmap_read_lock', {});
  harness.detach('gpu0');
  harness.attach('gpu0', 'cpu');
  harness.result('gpu1', 'mmap_read_unlock', {});
  assert.deepEqual(harness.result('gpu0', 'load', { address: ADDRESS }), { value: '0x2a' });
  assert.deepEqual(harness.leftBehind(), []);
});

test('private memory of a device that is gone is poison: the CPU gets SIGBUS, and no task waits', () => {
  const harness = mapped();
  migrating(harness, 'gpu0', 'finalized');
  harness.detach('gpu0');
  assert.deepEqual(loaded(harness), { signal: 'SIGBUS' });
  assert.deepEqual(harness.leftBehind(), []);
});

test('DMA to a frame that is not there names the target and the frame', () => {
  const harness = mapped();
  const pfn = faulted(harness, 'gpu0');
  const targets = [pfn, 0x123456].map((frame) => ({ page: PAGE, pfn: frame }));
  assert.equal(
    harness.refusal('gpu0', 'dma_read', { targets }),
    'no-such-frame params.targets[1].pfn',
  );
  const nowhere = { page: PAGE, pfn: ZERO_PFN };
  harness.ask('gpu0', 'dma_write', { targets: [nowhere] }, [pageOfU64(7n)]);
  assert.partialDeepStrictEqual(harness.responses.at(-1)?.outcome, {
    ok: false,
    code: 'no-such-frame',
    path: 'params.targets[0].pfn',
    bound: 'a frame of system memory but the page of zeros, or of a peer',
    found: String(ZERO_PFN),
  });
});

test('a fenced device holds no task up, its DMA is refused, and it is told why', () => {
  const harness = mapped();
  const pfn = faulted(harness, 'gpu0');
  faulted(harness, 'gpu1');
  harness.silent.add('gpu0');
  const waiting = harness.ask('cpu0', 'munmap', { address: ADDRESS, pages: 2 });
  assert.equal(harness.outcomeOf(waiting), 'waits');
  harness.fence('gpu0');
  assert.deepEqual(harness.outcomeOf(waiting), { ok: true, result: {}, contents: [] });
  const refused = harness.refusal('gpu0', 'dma_read', { targets: [{ page: PAGE, pfn }] });
  assert.equal(refused, 'fenced ');
  const told = harness.told.find(({ method }) => method === 'fenced');
  assert.equal(told?.actor, 'gpu0');
  assert.deepEqual(harness.leftBehind(), []);
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});

test('a fenced device that comes back has its private memory, and begins anew with all else', () => {
  const harness = mapped();
  migrating(harness, 'gpu0', 'finalized');
  const { subscription } = subscribed(harness, 'gpu0');
  harness.fence('gpu0');
  assert.deepEqual(loaded(harness), { signal: 'SIGBUS' });
  harness.attach('gpu0');
  const begin = { subscription, invalidate_seq: 0 };
  assert.equal(
    harness.refusal('gpu0', 'mmu_interval_read_begin', begin),
    'no-such-subscription params.subscription',
  );
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  const fault = harness.questionTo('gpu0');
  assert.equal(fault.method, 'migrate_to_ram');
  harness.answer(fault, { result: 'EIO' });
  const outcome = harness.outcomeOf(load);
  assert.ok(outcome !== 'waits' && outcome.ok);
});

for (const blocking of ['again', 'error'] as const) {
  test(`a device that answers a blockable invalidation with ${blocking} is fenced`, () => {
    const harness = mapped();
    faulted(harness, 'gpu0');
    harness.silent.add('gpu0');
    const waiting = harness.ask('cpu0', 'munmap', { address: ADDRESS, pages: 2 });
    const question = harness.questionTo('gpu0');
    if (blocking === 'error') harness.answerError(question);
    else harness.answer(question, { result: 'again', invalidate_seq: 1 });
    assert.deepEqual(harness.outcomeOf(waiting), { ok: true, result: {}, contents: [] });
    assert.equal(harness.told.at(-1)?.method, 'fenced');
    assert.deepEqual(harness.leftBehind(), []);
  });
}

test('[CR26] [CR24] two CPU faults that one device serves at once are not taken for each other', () => {
  const harness = mapped();
  harness.attach('cpu1', 'cpu');
  migrating(harness, 'gpu0', 'finalized');
  harness.ask('cpu0', 'load', { address: ADDRESS });
  const other = `0x${(BigInt(ADDRESS) + 4096n).toString(16)}`;
  harness.ask('cpu1', 'load', { address: other });
  const questions = harness.open.filter(({ method }) => method === 'migrate_to_ram');
  assert.equal(questions.length, 2);
  const setups = questions.map((question) => {
    const { mm, page, pfn: fault_page } = question.params as QuestionParams['migrate_to_ram'];
    const range = { first: page, end: page + 1 };
    const setup = { mm, range, select: 'device-private', fault_page };
    return { question, page, ...harness.result('gpu0', 'migrate_vma_setup', setup) };
  });
  for (const { question, page, migrate } of setups.toReversed()) {
    const { frames } = harness.result('gpu0', 'alloc_pages', { count: 1 });
    const [frame = pfn(0)] = frames;
    harness.result('gpu0', 'dma_write', { targets: [{ page, pfn: frame }] }, [pageOfU64(1n)]);
    harness.result('gpu0', 'migrate_vma_pages', {
      migrate,
      dst: [migratePfn(frame, MIGRATE_PFN_WRITE)],
    });
    harness.result('gpu0', 'migrate_vma_finalize', { migrate });
    harness.answer(question, { result: 'OK' });
  }
  const { violations } = harness.machine.world.oracles;
  assert.deepEqual(
    violations.filter(({ oracle }) => oracle === 'OR6').map(({ text }) => text),
    [],
  );
});

test('a migration that has collected nothing ends with the lock that it was set up under', () => {
  const harness = mapped();
  harness.result('gpu0', 'mmap_read_lock', {});
  const request = { mm: harness.machine.world.mm.id, select: 'device-private', fault_page: 'none' };
  harness.result('gpu0', 'migrate_vma_setup', { ...request, range: RANGE });
  harness.result('gpu0', 'mmap_read_unlock', {});
  assert.deepEqual(harness.leftBehind(), []);
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});

test('a device serves a CPU fault under the mmap_lock that the fault holds', () => {
  const harness = mapped();
  migrating(harness, 'gpu0', 'finalized');
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  const question = harness.questionTo('gpu0');
  const fault = question.params as QuestionParams['migrate_to_ram'];
  const { mm, page } = fault;
  assert.equal(page, PAGE);
  const { migrate, src } = harness.result('gpu0', 'migrate_vma_setup', {
    mm,
    range: RANGE,
    select: 'device-private',
    fault_page: fault.pfn,
  });
  assert.equal(src.length, 1);
  const { frames } = harness.result('gpu0', 'alloc_pages', { count: 1 });
  const contents = [pageOfU64(0x2bn)];
  harness.result('gpu0', 'dma_write', { targets: [{ page, pfn: frames[0] }] }, contents);
  const dst = [migratePfn(frames[0] ?? pfn(0), MIGRATE_PFN_WRITE)];
  harness.result('gpu0', 'migrate_vma_pages', { migrate, dst });
  harness.result('gpu0', 'migrate_vma_finalize', { migrate });
  harness.answer(question, { result: 'OK' });
  assert.deepEqual(harness.outcomeOf(load), { ok: true, result: { value: '0x2b' }, contents: [] });
  assert.deepEqual(
    harness.told.map(({ method, params }) => [method, params]),
    [['page_free', { pfn: fault.pfn }]],
  );
  assert.deepEqual(harness.leftBehind(), []);
});

test('a client that uses what it does not have is refused, with the place of the mistake', () => {
  const harness = mapped();
  const { mm } = harness.machine.world;
  const { subscription, invalidate_seq } = subscribed(harness, 'gpu0');
  const gpu = (method: string, params: object) => harness.refusal('gpu0', method, params);
  const walk = { subscription, notifier_seq: 0, range: RANGE, default_flags: 'fault' };
  const setup = { mm: mm.id, range: RANGE, select: 'system', fault_page: 'none' };
  assert.equal(gpu('mmap_read_unlock', {}), 'lock-not-held params');
  assert.equal(gpu('hmm_range_fault', walk), 'lock-not-held params.range');
  assert.equal(gpu('migrate_vma_setup', setup), 'lock-not-held params.range');
  assert.equal(gpu('find_vma', { page: 1 }), 'lock-not-held params.page');
  assert.equal(gpu('put_device_page', { pfn: 1 }), 'not-your-frame params.pfn');
  assert.equal(gpu('unlock_and_put_pages', { frames: [1] }), 'not-your-frame params.frames[0]');
  assert.equal(gpu('migrate_vma_finalize', { migrate: 1 }), 'no-such-migration params.migrate');
  assert.equal(gpu('migrate_device_range', { first: 1, count: 1 }), 'not-your-frame params.first');
  assert.equal(
    gpu('mmu_interval_notifier_remove', { subscription: 99 }),
    'no-such-subscription params.subscription',
  );
  harness.result('gpu0', 'mmap_read_lock', {});
  assert.equal(
    gpu('hmm_range_fault', { ...walk, range: { first: PAGE, end: PAGE + 3 } }),
    'outside-subscription params.range',
  );
  assert.equal(
    gpu('hmm_range_fault', { ...walk, page_flags: ['fault', 'fault'] }),
    'wrong-page-count params.page_flags',
  );
  assert.equal(
    gpu('hmm_range_fault_unlocked', {
      subscription,
      invalidate_seq,
      range: RANGE,
      default_flags: 'fault',
    }),
    'lock-held params',
  );
  assert.equal(gpu('migrate_vma_setup', { ...setup, mm: mm.id + 1 }), 'bad-params params.mm');
  assert.equal(
    gpu('migrate_vma_setup', { ...setup, fault_page: 1 }),
    'bad-params params.fault_page',
  );
  const { migrate } = harness.result('gpu0', 'migrate_vma_setup', setup);
  const dst = [migratePfn(pfn(1), 0)];
  assert.equal(gpu('migrate_vma_pages', { migrate, dst }), 'not-your-frame params.dst[0]');
  assert.equal(gpu('migrate_vma_pages', { migrate, dst: [0, 0] }), 'wrong-page-count params.dst');
  assert.equal(gpu('migrate_device_pages', { migrate, dst }), 'no-such-migration params.migrate');
  assert.equal(
    harness.refusal('gpu1', 'migrate_vma_finalize', { migrate }),
    'no-such-migration params.migrate',
  );
  harness.result('gpu0', 'migrate_vma_pages', { migrate, dst: [0] });
  assert.equal(gpu('migrate_vma_pages', { migrate, dst: [0] }), 'no-such-migration params.migrate');
  harness.detach('gpu0');
  assert.deepEqual(harness.leftBehind(), []);
});

test('a notification that lies is refused too, and changes nothing', () => {
  const harness = mapped();
  const { first } = harness.result('gpu0', 'memremap_pages', { count: 2 });
  harness.notify('gpu0', 'zone_device_page_init', { pfns: [first] });
  harness.notify('gpu0', 'zone_device_page_init', { pfns: [first] });
  harness.notify('gpu1', 'zone_device_page_init', { pfns: [first + 1] });
  const access = { page: PAGE, pfn: first, mode: 'read' };
  harness.notify('gpu0', 'private_memory_accessed', { accesses: [access] });
  harness.notify('gpu1', 'private_memory_accessed', { accesses: [access] }, [pageOfU64(1n)]);
  assert.deepEqual(
    harness.told.map(({ actor, method }) => [actor, method]),
    [
      ['gpu0', 'refused'],
      ['gpu1', 'refused'],
      ['gpu0', 'refused'],
      ['gpu1', 'refused'],
    ],
  );
  harness.detach('gpu0');
  assert.deepEqual(harness.leftBehind(), []);
});
