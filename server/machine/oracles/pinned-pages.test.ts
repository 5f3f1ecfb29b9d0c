import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../abi/event.ts';
import { addPins, forgetPins, movePins, type PinnedPages, pinnedAt } from './pinned-pages.ts';

type Call = Extract<Event, { kind: 'call' }>;
type Access = Extract<Event, { kind: 'pin-access' }>;

const MM = 1;
const PINNING = { actor: 'cpu0', args: { id: 7, first: 10, end: 11 } } as unknown as Call;
const ACCESS = { actor: 'cpu0', mm: MM, id: 7, page: 10 } as unknown as Access;

function pinned(underWay: 'a call takes pages' | 'none'): PinnedPages {
  const pins: PinnedPages = new Map();
  addPins(pins, MM, PINNING, () => underWay !== 'none');
  return pins;
}

test('a pinned page goes where mremap() takes it, and nowhere where another is put in its place', () => {
  const moved = pinned('none');
  movePins(moved, MM, { first: 10, end: 11 }, { first: 20, end: 21 });
  assert.equal(pinnedAt(moved, ACCESS)?.at, 20);
  const replaced = pinned('none');
  movePins(replaced, MM, { first: 20, end: 21 }, { first: 10, end: 11 });
  assert.equal(pinnedAt(replaced, ACCESS)?.at, 'nowhere');
});

test('while a call was under way the page may have been pinned before or behind it', () => {
  const replaced = pinned('a call takes pages');
  movePins(replaced, MM, { first: 20, end: 21 }, { first: 10, end: 11 });
  assert.deepEqual(pinnedAt(replaced, ACCESS), { at: 10, taken: 'by its process', perhaps: [] });
  const moved = pinned('a call takes pages');
  movePins(moved, MM, { first: 10, end: 11 }, { first: 20, end: 21 });
  assert.deepEqual(pinnedAt(moved, ACCESS)?.perhaps, [20]);
  forgetPins(moved, MM, { first: 10, end: 11 });
  assert.equal(pinnedAt(moved, ACCESS)?.at, 10);
});
