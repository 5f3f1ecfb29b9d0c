/** Clients that say anything that the schemas let through: no invariant may break, and nothing may stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CPU_REQUESTS } from '../../protocol/cpu-requests.ts';
import { DEVICE_REQUESTS } from '../../protocol/device-requests.ts';
import { CODE_OF_ERRNO, type ErrorCodeName } from '../../protocol/error-codes.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import { REFUSALS_OF_ANY_REQUEST, type RequestTable } from '../../protocol/request-spec.ts';
import { NOTIFICATION_CHECKS, REQUEST_CHECKS } from '../../protocol/roles.ts';
import type { Failure } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { RemoteHarness } from './remote-machine.fixture.ts';

const PAGE = 0x100200;
const DEVICE_PFN_BASE = 2 ** 23;

const page = fc.integer({ min: PAGE - 1, max: PAGE + 4 });
const range = fc.tuple(page, fc.integer({ min: 1, max: 4 })).map(([first, pages]) => ({
  first,
  end: first + pages,
}));
const frame = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: DEVICE_PFN_BASE - 1, max: DEVICE_PFN_BASE + 8 }),
  fc.constant(2 ** 46),
);
const handle = fc.integer({ min: 0, max: 40 });
const flags = fc.constantFrom('snapshot', 'fault', 'fault-write');
const migratePfn = fc.oneof(
  fc.constant(0),
  fc.tuple(frame, fc.integer({ min: 0, max: 15 })).map(([pfn, bits]) => pfn * 64 + bits),
);
const dst = fc.array(migratePfn, { minLength: 1, maxLength: 4 });
const few = <Value>(one: fc.Arbitrary<Value>) => fc.array(one, { minLength: 1, maxLength: 3 });
const word = page.map((at) => `0x${at.toString(16)}000`);
const region = { address: word, pages: fc.integer({ min: 1, max: 4 }) };
const subscription = handle;
const seq = fc.integer({ min: 0, max: 12 });
const mm = fc.integer({ min: 0, max: 2 });

interface Shape {
  readonly [field: string]: fc.Arbitrary<unknown>;
}

const DEVICE: { readonly [method: string]: Shape } = {
  mmap_read_lock: {},
  mmap_read_unlock: {},
  mmu_interval_notifier_insert: { range },
  mmu_interval_notifier_remove: { subscription },
  mmu_interval_read_begin: { subscription, invalidate_seq: seq },
  find_vma: { page },
  hmm_range_fault: { subscription, notifier_seq: seq, range, default_flags: flags },
  hmm_range_fault_unlocked: { subscription, invalidate_seq: seq, range, default_flags: flags },
  migrate_vma_setup: {
    mm,
    range,
    select: fc.constantFrom('system', 'device-private'),
    fault_page: fc.oneof(frame, fc.constant('none')),
  },
  migrate_vma_pages: { migrate: handle, dst },
  migrate_vma_finalize: { migrate: handle },
  migrate_device_range: { first: frame, count: fc.integer({ min: 1, max: 4 }) },
  migrate_device_pages: { migrate: handle, dst },
  migrate_device_finalize: { migrate: handle },
  make_device_exclusive_range: { range },
  unlock_and_put_pages: { frames: few(frame) },
  memremap_pages: { count: fc.integer({ min: 1, max: 4 }) },
  put_device_page: { pfn: frame },
  alloc_pages: { count: fc.integer({ min: 1, max: 3 }) },
  dma_read: { targets: few(fc.record({ page, pfn: frame })) },
  dma_write: { targets: few(fc.record({ page, pfn: frame })) },
  zone_device_page_init: { pfns: few(frame) },
};

const CPU: { readonly [method: string]: Shape } = {
  load: { address: word },
  store: { address: word, value: fc.constantFrom('0x0', '0x1', '0xff') },
  mmap: {
    ...region,
    prot: fc.constantFrom('none', 'r', 'rw'),
    kind: fc.constantFrom('anon-private', 'anon-private', 'anon-shared'),
  },
  munmap: region,
  mprotect: { ...region, prot: fc.constantFrom('none', 'r', 'rw') },
  madvise: { ...region, advice: fc.constantFrom('DONTNEED', 'FREE') },
  mremap: { ...region, to: word },
  pin: { ...region, id: handle, mode: fc.constantFrom('longterm', 'get') },
  unpin: { id: handle },
};

type Move =
  | {
      readonly actor: string;
      readonly method: string;
      readonly params: object;
      readonly pages: number;
    }
  | { readonly actor: string; readonly event: 'fence' | 'attach' };

function says(actor: string, methods: { readonly [method: string]: Shape }): fc.Arbitrary<Move> {
  return fc.oneof(
    ...Object.entries(methods).map(([method, shape]) =>
      fc.record({
        actor: fc.constant(actor),
        method: fc.constant(method),
        params: fc.record(shape),
        pages: fc.integer({ min: 0, max: 3 }),
      }),
    ),
  );
}

const events = fc.record({
  actor: fc.constantFrom('gpu0', 'gpu1'),
  event: fc.constantFrom('fence' as const, 'attach' as const),
});
const moves = fc.array(
  fc.oneof(
    { arbitrary: says('gpu0', DEVICE), weight: 12 },
    { arbitrary: says('gpu1', DEVICE), weight: 6 },
    { arbitrary: says('cpu0', CPU), weight: 8 },
    { arbitrary: events, weight: 1 },
  ),
  { minLength: 20, maxLength: 120 },
);

/** A machine in which much can be named: memory of each device, mapped pages, subscriptions. */
function furnished(): RemoteHarness {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  const whole = { address: `0x${PAGE.toString(16)}000`, pages: 4 };
  harness.result('cpu0', 'mmap', { ...whole, prot: 'rw', kind: 'anon-private' });
  for (const device of ['gpu0', 'gpu1']) {
    harness.attach(device);
    const { first } = harness.result(device, 'memremap_pages', { count: 3 });
    harness.notify(device, 'zone_device_page_init', { pfns: [first, first + 1] });
    harness.result(device, 'mmu_interval_notifier_insert', {
      range: { first: PAGE, end: PAGE + 4 },
    });
  }
  harness.result('gpu0', 'mmap_read_lock', {});
  return harness;
}

function make(harness: RemoteHarness, move: Move): void {
  if ('event' in move) {
    harness[move.event](move.actor);
    return;
  }
  const { actor, method, params, pages } = move;
  const role = actor === 'cpu0' ? 'cpu' : 'device';
  const request = REQUEST_CHECKS[role].get(method);
  const checks = request ?? NOTIFICATION_CHECKS[role].get(method);
  if (checks === undefined || !checks.params.accepts(params)) return;
  const contents = checks.spec.sends === 'pages' ? Array(pages).fill(pageOfU64(7n)) : [];
  if (request === undefined) harness.notify(actor, method, params, contents);
  else harness.ask(actor, method, params, contents);
}

const REQUESTS: RequestTable = { ...DEVICE_REQUESTS, ...CPU_REQUESTS };

/** Refusals that the documents do not name for their method. */
function undocumented(refused: readonly (readonly [method: string, code: ErrorCodeName])[]) {
  const anywhere: readonly ErrorCodeName[] = REFUSALS_OF_ANY_REQUEST;
  return refused.filter(
    ([method, code]) => !(anywhere.includes(code) || REQUESTS[method]?.errors.includes(code)),
  );
}

function refusalsOf(harness: RemoteHarness): (readonly [method: string, code: ErrorCodeName])[] {
  return harness.responses.flatMap(({ id, outcome }) => {
    if (outcome.ok) return [];
    return [[harness.methods.get(id) ?? 'nobody asked', codeOf(outcome)] as const];
  });
}

function codeOf(refused: Refusal | Failure): ErrorCodeName {
  return 'code' in refused ? refused.code : CODE_OF_ERRNO[refused.errno];
}

test('a refusal that its method does not name is found', () => {
  const refused = [
    ['find_vma', 'not-found'],
    ['find_vma', 'exists'],
    ['munmap', 'bad-params'],
    ['mmap', 'in-use'],
  ] as const;
  assert.deepEqual(undocumented(refused), [refused[1], refused[3]]);
});

test('no client can make the kernel break its rules, or leave anything behind', () => {
  fc.assert(
    fc.property(moves, (sequence) => {
      const harness = furnished();
      for (const move of sequence) {
        make(harness, move);
        for (const question of [...harness.open]) harness.answer(question, { result: 'EIO' });
      }
      for (const actor of ['gpu0', 'gpu1', 'cpu0']) harness.detach(actor);
      assert.deepEqual(harness.leftBehind(), []);
      assert.deepEqual(undocumented(refusalsOf(harness)), []);
    }),
    { numRuns: 300, seed: 5 },
  );
});

test('a frame in the memory of no device is a breach of the contract, and no bug', () => {
  const harness = furnished();
  const entry = { state: 'mapped', pfn: DEVICE_PFN_BASE + 1_000, access: 'read' };
  harness.notify('gpu1', 'mirror_changed', { changes: [{ page: PAGE, entry }] });
  const { violations } = harness.machine.world.oracles;
  const [first] = violations.filter(({ rule }) => rule === 'CR17');
  assert.match(first?.text ?? '', /in the memory of no device/);
  assert.ok(harness.result('gpu1', 'mmap_read_lock', {}));
});

test('what is refused changes nothing, whichever of its parts is wrong', () => {
  const harness = furnished();
  const { first } = harness.result('gpu0', 'memremap_pages', { count: 2 });
  const inits = [
    [first, first],
    [first, DEVICE_PFN_BASE + 1_000],
  ];
  for (const pfns of inits) harness.notify('gpu0', 'zone_device_page_init', { pfns });
  assert.deepEqual(
    harness.told.map(({ method }) => method),
    ['refused', 'refused'],
  );
  // It was not taken into use: it still can be.
  harness.notify('gpu0', 'zone_device_page_init', { pfns: [first] });
  assert.equal(harness.told.length, 2);
});

test('a machine that has used up the numbers of address spaces refuses to fork, and goes on', () => {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  for (let at = 1; at < 1_024; at += 1) harness.result('cpu0', 'fork', { child: `kid${at}` });
  assert.equal(harness.refusal('cpu0', 'fork', { child: 'last' }), 'come-back params.child');
  harness.result('cpu0', 'mmap', {
    address: `0x${PAGE.toString(16)}000`,
    pages: 1,
    prot: 'rw',
    kind: 'anon-private',
  });
});
