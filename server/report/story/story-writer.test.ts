import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, EventBody, PteView } from '../../abi/event.ts';
import { storyOf } from './story.ts';

const PAGE = 0x100200;
const NONE: PteView = { state: 'none' };
const present = (pfn: number): PteView => ({ state: 'present', pfn, access: 'write' });

function told(...did: readonly (readonly [actor: string, body: EventBody])[]): string[] {
  const events = did.map(
    ([actor, body], at): Event => ({ ...body, n: at + 1, actor, task: 'work' }),
  );
  return storyOf(events, PAGE).rows.map(({ actor, text }) => `${actor}: ${text}`);
}

function pte(mm: number, from: PteView, to: PteView): EventBody {
  return { kind: 'pte', mm, page: PAGE, from, to };
}

function load(mm: number, pfn: number): EventBody {
  return { kind: 'cpu-access', mm, page: PAGE, pfn, mode: 'read', value: '0x1' };
}

test('an access to the frame that the entry has lost is one by a stale TLB entry', () => {
  const lines = told(['cpu0', pte(0, present(5), NONE)], ['cpu1', load(0, 5)]);
  assert.equal(lines.at(-1), 'cpu1: load 0x100200000 = 0x1, by a stale TLB entry');
  const fresh = told(
    ['cpu0', pte(0, present(5), NONE)],
    ['cpu1', pte(0, NONE, present(6))],
    ['cpu1', load(0, 6)],
  );
  assert.equal(fresh.at(-1), 'cpu1: load 0x100200000 = 0x1');
});

test('I/O through a pin is a row, and says where the frame is no longer the one that is mapped', () => {
  const io: EventBody = {
    kind: 'pin-access',
    id: 1,
    mm: 0,
    page: PAGE,
    pfn: 5,
    mode: 'write',
    value: '0x3',
  };
  const pin: EventBody = {
    kind: 'call',
    function: 'pin_user_pages',
    args: { first: PAGE, end: PAGE + 1, id: 1 },
  };
  const lines = told(
    ['cpu0', pte(0, NONE, present(5))],
    ['cpu0', pin],
    ['cpu0', io],
    ['cpu1', pte(0, present(5), present(6))],
    ['cpu0', io],
  );
  assert.deepEqual(lines, [
    'cpu0: PTE 0x100200000: empty -> frame 0x5',
    'cpu0: pin_user_pages(0x100200000)',
    'cpu0: write 0x100200000 = 0x3, through its pin',
    'cpu1: PTE 0x100200000: frame 0x5 -> frame 0x6',
    'cpu0: write 0x100200000 = 0x3, through its pin of frame 0x5',
  ]);
});

test('address spaces are named as soon as there are two, and each has its own entry', () => {
  const alone = told(['cpu0', pte(0, NONE, present(5))], ['cpu0', load(0, 5)]);
  assert.deepEqual(alone, [
    'cpu0: PTE 0x100200000: empty -> frame 0x5',
    'cpu0: load 0x100200000 = 0x1',
  ]);
  const two = told(
    ['cpu0', pte(0, NONE, present(5))],
    ['cpu0', pte(1, NONE, present(5))],
    ['child', load(1, 5)],
    ['cpu0', pte(0, present(5), NONE)],
    ['child', load(1, 5)],
  );
  assert.deepEqual(two, [
    'cpu0: mm0 PTE 0x100200000: empty -> frame 0x5',
    'cpu0: mm1 PTE 0x100200000: empty -> frame 0x5',
    'child: mm1 load 0x100200000 = 0x1',
    'cpu0: mm0 PTE 0x100200000: frame 0x5 -> empty',
    'child: mm1 load 0x100200000 = 0x1',
  ]);
});

test('a fork and a migration entry stay, though their actor does nothing later', () => {
  const fork: EventBody = { kind: 'call', function: 'fork', args: {} };
  const entry: PteView = { state: 'migration', pfn: 5, access: 'write' };
  const others = [
    ['cpu1', pte(0, entry, present(7))],
    ['cpu2', load(0, 7)],
  ] as const;
  assert.match(told(['cpu0', fork], ...others)[0] ?? '', /^cpu0: fork/);
  assert.match(told(['dev0', pte(0, present(5), entry)], ...others)[0] ?? '', /^dev0: PTE/);
});
