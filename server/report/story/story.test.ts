/** What of a run belongs into the story of a page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, EventBody } from '../../abi/event.ts';
import { storyOf } from './story.ts';

const PAGE = 0x100;
const OTHER = 0x200;

function told(...steps: readonly (readonly [actor: string, body: EventBody])[]): string[] {
  const events = steps.map(
    ([actor, body], at) => ({ n: at + 1, actor, task: 'test', ...body }) as Event,
  );
  return storyOf(events, PAGE).rows.map(({ actor, text }) => `${actor} ${text}`);
}

const present = (pfn: number) =>
  ({ state: 'present', pfn, access: 'write', dirty: 'yes' }) as never;
const none = { state: 'none' } as const;
const range = { mm: 0, first: PAGE, end: PAGE + 1 } as const;
const entry = (page: number, from: object, to: object): EventBody =>
  ({ kind: 'pte', mm: 0, page, from, to }) as EventBody;
const access = (page: number, pfn: number, value: string): EventBody =>
  ({ kind: 'cpu-access', mm: 0, page, pfn, mode: 'read', value }) as EventBody;

test('what mremap() moves is followed to its other address', () => {
  const moves = { first: OTHER, end: OTHER + 1, to: PAGE };
  assert.deepEqual(
    told(
      ['cpu0', { kind: 'call', function: 'mremap', args: moves }],
      ['cpu0', entry(OTHER, present(1), none)],
      ['cpu0', entry(PAGE, none, present(1))],
      ['cpu1', entry(OTHER + 1, none, present(9))],
    ),
    [
      'cpu0 mremap(0x200000, 0x100000)',
      'cpu0 PTE 0x200000: frame 0x1 -> empty',
      'cpu0 PTE 0x100000: empty -> frame 0x1',
    ],
  );
});

test('the owner of the frame now that an entry of old still reaches', () => {
  const rows = told(
    ['cpu1', entry(PAGE, present(1), none)],
    ['cpu1', entry(OTHER, none, present(1))],
    ['cpu1', access(OTHER, 1, '0x9')],
    ['cpu2', access(PAGE, 1, '0x9')],
  );
  assert.deepEqual(rows, [
    'cpu1 PTE 0x100000: frame 0x1 -> empty',
    'cpu1 PTE 0x200000: empty -> frame 0x1',
    'cpu1 load 0x200000 = 0x9',
    'cpu2 load 0x100000 = 0x9, by a stale TLB entry',
  ]);
});

test('the task that changed an entry that a TLB still has is no bystander', () => {
  const zero = { state: 'zero', access: 'read' } as const;
  assert.deepEqual(
    told(
      ['cpu0', entry(PAGE, zero, present(1))],
      ['cpu2', access(PAGE, 0, '0x0')],
      ['cpu1', access(PAGE, 1, '0x1')],
    ),
    ['cpu0 PTE 0x100000: zero page -> frame 0x1', 'cpu2 load 0x100000 = 0x0, by a stale TLB entry'],
  );
});

test('an invalidation begins or ends in a row of its own where that decides, and nowhere else', () => {
  const begins: EventBody = {
    kind: 'invalidate_range_start',
    id: 1,
    ...range,
    event: 'clear',
    owner: 'none',
  };
  const ends: EventBody = { kind: 'invalidate_range_end', id: 1, ...range };
  const changes = entry(PAGE, present(1), present(2));
  const changed = 'cpu0 PTE 0x100000: frame 0x1 -> frame 0x2';
  assert.deepEqual(told(['cpu0', begins], ['cpu0', changes], ['cpu0', ends]), [changed]);
  assert.deepEqual(told(['cpu0', begins], ['cpu0', ends], ['cpu0', changes]), [changed]);
  const complaint: EventBody = {
    kind: 'violation',
    oracle: 'mirror coherence',
    rule: 'OR1',
    text: 'what is wrong',
    device: 'dev0',
    page: PAGE,
    cpuHistory: [],
    deviceHistory: [],
  };
  assert.deepEqual(told(['cpu0', begins], ['cpu0', ends], ['cpu0', changes], ['cpu0', complaint]), [
    'cpu0 invalidation of 0x100000 ends',
    changed,
  ]);
  assert.deepEqual(told(['cpu0', begins], ['cpu0', changes]), [
    'cpu0 invalidation of 0x100000 begins',
    changed,
  ]);
});
