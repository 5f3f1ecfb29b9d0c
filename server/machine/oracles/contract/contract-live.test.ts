/** The contract of devices in other processes: what their frames tell of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hmmPfnToPfn } from '../../../abi/hmm-pfn.ts';
import type { QuestionParams } from '../../../protocol/server-questions.ts';
import { addressOf, pageIndex } from '../../../vocabulary/address.ts';
import { RemoteHarness } from '../../remote/remote-machine.fixture.ts';

const PAGE = 0x100200;
const RANGE = { first: PAGE, end: PAGE + 1 };
/** The same for system calls. */
const REGION = { address: `0x${addressOf(pageIndex(PAGE)).toString(16)}`, pages: 1 };

interface Looked {
  readonly harness: RemoteHarness;
  readonly subscription: number;
  readonly seq: number;
  readonly pfn: number;
}

/** A device that has looked a page up which the CPU has written. */
function looked(): Looked {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: REGION.address, value: '0x7' });
  const { subscription, invalidate_seq } = harness.result('gpu0', 'mmu_interval_notifier_insert', {
    range: RANGE,
  });
  const { seq, pfns } = harness.result('gpu0', 'hmm_range_fault_unlocked', {
    subscription,
    invalidate_seq,
    range: RANGE,
    default_flags: 'fault',
  });
  const [entry] = pfns;
  assert.ok(entry !== undefined);
  return { harness, subscription, seq, pfn: hmmPfnToPfn(entry) };
}

function map({ harness, pfn }: Looked, access: 'read' | 'write' = 'read', frame = pfn): void {
  const entry = { state: 'mapped', pfn: frame, access };
  harness.notify('gpu0', 'mirror_changed', { changes: [{ page: PAGE, entry }] });
}

function dontneed({ harness }: Looked): void {
  harness.ask('cpu0', 'madvise', { ...REGION, advice: 'DONTNEED' });
}

function rules({ harness }: Looked): string[] {
  const { violations } = harness.machine.world.oracles;
  return violations.flatMap(({ oracle, rule }) => (oracle === 'OR6' ? [rule] : []));
}

/** Answers the open invalidation. */
function answer({ harness }: Looked, view: (asked: QuestionParams['invalidate']) => object): void {
  const question = harness.questionTo('gpu0');
  harness.answer(question, view(question.params as QuestionParams['invalidate']));
}

test('[OR6] a client that keeps the contract is not complained of', () => {
  const world = looked();
  map(world);
  dontneed(world);
  assert.deepEqual(rules(world), []);
});

test('[CR2] a client that maps what was invalidated since is found', () => {
  const world = looked();
  dontneed(world);
  map(world);
  assert.deepEqual(rules(world), ['CR2']);
});

test('[CR14] a client that maps what it was not given, or writes what it may only read, is found', () => {
  const world = looked();
  map(world, 'read', 99);
  assert.deepEqual(rules(world), ['CR14']);
});

test('[CR15] a client that reads a frame that it does not map is found', () => {
  const world = looked();
  const { harness, pfn } = world;
  harness.result('gpu0', 'dma_read', { targets: [{ page: PAGE, pfn }] });
  assert.deepEqual(rules(world), ['CR15']);
});

test('[CR6] a client that answers an invalidation and tells of no dropped entry is found', () => {
  const world = looked();
  map(world);
  world.harness.silent.add('gpu0');
  dontneed(world);
  answer(world, ({ seq }) => ({ result: 'done', invalidate_seq: seq }));
  assert.deepEqual(rules(world), ['CR6']);
});

test('[CR23] a client that answers with its old sequence and keeps its entry is found', () => {
  const world = looked();
  map(world);
  world.harness.silent.add('gpu0');
  dontneed(world);
  answer(world, () => ({ result: 'done', invalidate_seq: world.seq }));
  assert.deepEqual(rules(world), ['CR23']);
});

test('[CR7] a client that refuses what may wait is found, and fenced', () => {
  const world = looked();
  world.harness.silent.add('gpu0');
  dontneed(world);
  answer(world, ({ seq }) => ({ result: 'again', invalidate_seq: seq }));
  assert.deepEqual(rules(world), ['CR7']);
  assert.equal(world.harness.told.at(-1)?.method, 'fenced');
});

test('[OR6] of a client that was fenced nothing is expected, and what it begins anew counts again', () => {
  const world = looked();
  map(world);
  const { harness } = world;
  harness.fence('gpu0');
  assert.deepEqual(rules(world), []);
  harness.attach('gpu0');
  map(world);
  assert.deepEqual(rules(world), ['CR19']);
});
