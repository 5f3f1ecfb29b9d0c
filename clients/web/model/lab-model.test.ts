import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, EventBody } from '../../../server/abi/event.ts';
import { type GoldenKernel, runGolden } from '../../../server/report/golden/golden-runs.fixture.ts';
import { coherenceOf, staleCells } from './coherence.ts';
import { applyEvent, copyModel, emptyModel, type LabModel } from './lab-model.ts';

function seedEvents(kernel: GoldenKernel): readonly Event[] {
  return runGolden('seed-zero-page', kernel).events;
}

/** The state after each event. */
function moments(events: readonly Event[]): LabModel[] {
  const model = emptyModel('stock');
  return events.map((event) => {
    applyEvent(model, event);
    return copyModel(model);
  });
}

function numbered(list: readonly (readonly [actor: string, body: EventBody])[]): Event[] {
  return list.map(([actor, body], at) => ({ n: at + 1, actor, task: 'task', ...body }));
}

test('with the stock kernel no cell is ever stale', () => {
  for (const model of moments(seedEvents('stock'))) {
    assert.deepEqual(staleCells(model), [], `after event ${model.n}`);
  }
});

test('without the second invalidation the cell is stale from the very event that the oracle complains of', () => {
  const events = seedEvents('patched');
  const violation = events.find((event) => event.kind === 'violation');
  assert.ok(violation?.kind === 'violation');
  const first = moments(events).find((model) => staleCells(model).length > 0);
  assert.deepEqual(staleCells(first ?? emptyModel('')), [
    { device: violation.device, page: violation.page },
  ]);
  // The entry changes, and the oracle says so in the next event.
  assert.equal(first?.n, violation.n - 1);
});

test('inside an open invalidation, and while the device itself migrates, a differing entry is no stale one', () => {
  const range = { first: 7, end: 8 };
  const events = numbered([
    ['gpu0', { kind: 'attach', role: 'device' }],
    [
      'gpu0',
      {
        kind: 'mirror',
        device: 'gpu0',
        page: 7,
        from: { state: 'none' },
        to: { state: 'mapped', pfn: 3, access: 'write' },
      },
    ],
    ['cpu0', { kind: 'invalidate_range_start', id: 1, mm: 0, ...range, event: 'clear', owner: '' }],
    ['cpu0', { kind: 'invalidate_range_end', id: 1, mm: 0, ...range }],
    ['gpu0', { kind: 'call', function: 'migrate_vma_setup', args: { ...range } }],
    ['gpu0', { kind: 'migration-end', device: 'gpu0', id: 1 }],
  ]);
  const seen = moments(events).map((model) => coherenceOf(model, 'gpu0', 7));
  assert.deepEqual(seen, ['none', 'stale', 'in-flight', 'stale', 'migrating', 'stale']);
});

test('a lock is held from the event that takes it to the one that lets go, by whichever task of the actor', () => {
  const events: Event[] = [
    { n: 1, actor: 'gpu0', task: 'a', kind: 'lock', lock: 'mmap_lock', mode: 'read' },
    { n: 2, actor: 'gpu1', task: 'b', kind: 'lock', lock: 'mmap_lock', mode: 'read' },
    { n: 3, actor: 'gpu0', task: 'c', kind: 'unlock', lock: 'mmap_lock' },
    { n: 4, actor: 'gpu1', task: 'b', kind: 'unlock', lock: 'mmap_lock' },
  ];
  const holders = moments(events).map(({ locks }) =>
    (locks.get('mmap_lock') ?? []).map(({ actor }) => actor),
  );
  assert.deepEqual(holders, [['gpu0'], ['gpu0', 'gpu1'], ['gpu1'], []]);
});
