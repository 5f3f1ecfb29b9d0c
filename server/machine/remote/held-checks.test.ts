/** What one client, or all of a lab, may hold: one more is refused by name, and another client goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELD_LIMITS, type HeldLimit, type OverLimit } from '../../protocol/held-limits.ts';
import { RemoteHarness } from './remote-machine.fixture.ts';

const PAGE = 0x100200;
const RANGE = { first: PAGE, end: PAGE + 1 };
const WIDE = { address: '0x100200000', pages: 2 ** 30 };

/** The limit that the refusal of a request names. */
function limitOf(harness: RemoteHarness, actor: string, method: string, params: object): unknown {
  const outcome = harness.outcomeOf(harness.ask(actor, method, params));
  assert.ok(outcome !== 'waits');
  if (outcome.ok || !('limit' in outcome)) return outcome;
  const { code, limit, bound } = outcome as OverLimit;
  assert.equal(code, 'over-limit');
  assert.ok(bound.endsWith(`(${limit})`), bound);
  return limit;
}

function value(limit: HeldLimit): number {
  return HELD_LIMITS[limit].value;
}

function machine(): RemoteHarness {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  harness.attach('gpu1');
  harness.result('cpu0', 'mmap', { ...WIDE, prot: 'rw', kind: 'anon-private' });
  return harness;
}

test('what a device asks for by single calls is bounded, each by its own name', () => {
  const harness = machine();
  const calls: readonly (readonly [string, object, HeldLimit])[] = [
    ['mmu_interval_notifier_insert', { range: RANGE }, 'SUBSCRIPTIONS_MAX'],
    ['memremap_pages', { count: 1 }, 'DEVICE_CHUNKS_MAX'],
    ['mmap_read_lock', {}, 'LOCKS_HELD_MAX'],
    [
      'migrate_vma_setup',
      { mm: 0, range: RANGE, select: 'system', fault_page: 'none' },
      'MIGRATIONS_OPEN_MAX',
    ],
  ];
  for (const [method, params, limit] of calls) {
    for (let at = 0; at < value(limit); at += 1) {
      assert.notEqual(harness.outcomeOf(harness.ask('gpu0', method, params)), 'waits', method);
    }
    assert.equal(limitOf(harness, 'gpu0', method, params), limit);
    harness.responses.length = 0;
  }
  assert.ok(harness.result('gpu1', 'mmu_interval_notifier_insert', { range: RANGE }));
  harness.detach('gpu0');
  harness.attach('gpu0');
  assert.ok(harness.result('gpu0', 'mmu_interval_notifier_insert', { range: RANGE }));
});

test('frames that were allocated and not migrated to are bounded', () => {
  const harness = machine();
  for (let left = value('ALLOCATED_FRAMES_MAX'); left > 0; left -= 512) {
    harness.result('gpu0', 'alloc_pages', { count: 512 });
  }
  assert.equal(limitOf(harness, 'gpu0', 'alloc_pages', { count: 1 }), 'ALLOCATED_FRAMES_MAX');
  assert.equal(harness.result('gpu1', 'alloc_pages', { count: 1 }).frames.length, 1);
});

test('a page table that a device tells of is bounded; changes that fit, and removals, are taken', () => {
  const harness = machine();
  const changes = (first: number, state: 'mapped' | 'none') =>
    Array.from({ length: 512 }, (_, at) => ({
      page: first + at,
      entry: state === 'none' ? { state } : { state, pfn: 1, access: 'read' },
    }));
  const tell = (first: number, state: 'mapped' | 'none') =>
    harness.notify('gpu0', 'mirror_changed', { changes: changes(first, state) });
  const { mirrors } = harness.machine.world.oracles;
  const most = value('MIRROR_ENTRIES_MAX');
  for (let first = 0; first < most; first += 512) tell(first, 'mapped');
  assert.deepEqual([mirrors.entries, harness.told.length], [most, 0]);
  tell(most, 'mapped');
  assert.deepEqual([mirrors.entries, harness.told.length], [most, 1]);
  const { params } = harness.told[0] as {
    readonly params: { readonly refusal: { bound: string } };
  };
  assert.match(params.refusal.bound, /MIRROR_ENTRIES_MAX/);
  tell(0, 'mapped');
  tell(0, 'none');
  tell(most, 'mapped');
  assert.deepEqual([mirrors.entries, harness.told.length], [most, 1]);
});

test('what a CPU pins is bounded by call, by number and by lab', () => {
  const harness = machine();
  const pin = (id: number, pages: number) => ({ address: WIDE.address, pages, id, mode: 'get' });
  const most = value('PIN_PAGES_MAX');
  assert.equal(limitOf(harness, 'cpu0', 'pin', pin(1, most + 1)), 'PIN_PAGES_MAX');
  for (let id = 0; id < value('PINS_MAX'); id += 1) harness.result('cpu0', 'pin', pin(id, 1));
  assert.equal(limitOf(harness, 'cpu0', 'pin', pin(9_999, 1)), 'PINS_MAX');
});

test('mappings and page tables of a lab are bounded, over all its processes', () => {
  const harness = machine();
  const load = (at: number) => ({ address: `0x${((PAGE + at * 512) * 4096).toString(16)}` });
  const most = value('LAB_PAGE_TABLES_MAX');
  for (let at = 0; at < most / 2 + 1; at += 1) harness.result('cpu0', 'load', load(at));
  assert.equal(limitOf(harness, 'cpu0', 'fork', { child: 'kid' }), 'LAB_PAGE_TABLES_MAX');
  for (let at = most / 2 + 1; at < most; at += 1) harness.result('cpu0', 'load', load(at));
  assert.equal(limitOf(harness, 'cpu0', 'load', load(most)), 'LAB_PAGE_TABLES_MAX');
});

test('what one call of a CPU goes through is bounded, or as long as what is there', () => {
  const harness = machine();
  const collapse = { ...WIDE, advice: 'COLLAPSE' };
  assert.equal(limitOf(harness, 'cpu0', 'khugepaged', WIDE), 'SCAN_PAGES_MAX');
  assert.equal(limitOf(harness, 'cpu0', 'madvise', collapse), 'SCAN_PAGES_MAX');
  harness.result('cpu0', 'store', { address: WIDE.address, value: '0x1' });
  for (const method of ['reclaim', 'compact'] as const) harness.result('cpu0', method, WIDE);
});

test('pages that a monitor fills are in page tables that are counted', () => {
  const harness = machine();
  harness.result('cpu0', 'uffd-register', WIDE);
  const block = (at: number) => ({ address: `0x${((PAGE + at * 512) * 4_096).toString(16)}` });
  const most = value('LAB_PAGE_TABLES_MAX');
  for (let at = 0; at < most; at += 1) harness.result('cpu0', 'uffd-zeropage', block(at));
  for (const [method, more] of [
    ['uffd-zeropage', {}],
    ['uffd-copy', { value: '0x1' }],
    ['uffd-move', { pages: 1, to: '0x100000' }],
  ] as const) {
    const params = { ...block(most), ...more };
    assert.equal(limitOf(harness, 'cpu0', method, params), 'LAB_PAGE_TABLES_MAX', method);
  }
});
