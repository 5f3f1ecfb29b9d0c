import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../../../server/abi/event.ts';
import { BLOCK_EVENTS, EventHistory, PAGE_EVENTS_MAX } from './event-history.ts';
import { applyEvent, emptyModel, type LabModel } from './lab-model.ts';
import type { EventSpan } from './spans.ts';

const PAGES = 16;

/** Entries, locks and calls, from numbers as chance gives them. */
function eventOf(n: number, dice: number): Event {
  const actor = `gpu${dice % 3}`;
  const page = Math.floor(dice / 7) % PAGES;
  switch (dice % 5) {
    case 0:
      return {
        n,
        actor,
        task: 't',
        kind: 'pte',
        mm: 0,
        page,
        from: { state: 'none' },
        to: dice % 2 === 0 ? { state: 'zero' } : { state: 'present', pfn: dice, access: 'write' },
      };
    case 1:
      return {
        n,
        actor,
        task: 't',
        kind: 'mirror',
        device: actor,
        page,
        from: { state: 'none' },
        to: dice % 2 === 0 ? { state: 'none' } : { state: 'mapped', pfn: dice, access: 'read' },
      };
    case 2:
      return { n, actor, task: 't', kind: 'lock', lock: `page_lock ${page}`, mode: 'write' };
    case 3:
      return { n, actor, task: 't', kind: 'unlock', lock: `page_lock ${page}` };
    default:
      return { n, actor, task: 't', kind: 'frame-alloc', pfn: dice };
  }
}

function manyEvents(count: number, from = 1): Event[] {
  return Array.from({ length: count }, (_, at) =>
    eventOf(from + at, (Math.imul(from + at, 2_654_435_761) >>> 8) % 10_007),
  );
}

function historyOf(events: readonly Event[]): EventHistory {
  const history = new EventHistory(emptyModel('stock'));
  history.append(events);
  return history;
}

function replayed(events: readonly Event[], n: number): LabModel {
  const model = emptyModel('stock');
  for (const event of events) if (event.n <= n) applyEvent(model, event);
  return model;
}

test('the state at any moment is that of a replay from the beginning, in whichever order moments are asked for', () => {
  const events = manyEvents(BLOCK_EVENTS * 2 + 500);
  const history = historyOf(events);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: events.length }), { minLength: 1, maxLength: 4 }),
      (asked) => {
        for (const n of asked) assert.deepEqual(history.at(n), replayed(events, n));
      },
    ),
    { numRuns: 25, seed: 7 },
  );
});

test('events are found by their number, and those that come twice count once', () => {
  const events = manyEvents(BLOCK_EVENTS + 10);
  const history = historyOf(events);
  history.append(events.slice(-5));
  assert.equal(history.size, events.length);
  for (const n of [1, BLOCK_EVENTS, BLOCK_EVENTS + 1, events.length]) {
    assert.deepEqual(history.eventAt(n), events[n - 1]);
  }
  assert.equal(history.eventAt(events.length + 1), 'none');
});

test('memory is bounded: the oldest events are forgotten, and what is left is still right', () => {
  const events = manyEvents(PAGE_EVENTS_MAX + BLOCK_EVENTS * 2);
  const history = historyOf(events);
  assert.ok(history.size <= PAGE_EVENTS_MAX);
  assert.equal(history.first, events.length - history.size + 1);
  const n = history.first + 3;
  assert.deepEqual(history.at(n), replayed(events, n));
});

test('a span is visited once, however many blocks it goes through', () => {
  const open: Event = {
    n: 1,
    actor: 'a',
    task: 't',
    kind: 'lock',
    lock: 'mmap_lock',
    mode: 'read',
  };
  const fill = manyEvents(BLOCK_EVENTS * 2, 2).filter(({ kind }) => kind === 'frame-alloc');
  const events = [open, ...fill].map((event, at) => ({ ...event, n: at + 1 }));
  while (events.length < BLOCK_EVENTS * 2) {
    events.push({ n: events.length + 1, actor: 'a', task: 't', kind: 'frame-alloc', pfn: 1 });
  }
  const history = historyOf(events);
  const visited: EventSpan[] = [];
  history.eachSpan({ from: 1, to: events.length, events: 0 }, (span) => visited.push(span));
  assert.deepEqual(
    visited.map(({ label }) => label),
    ['mmap_lock (read)'],
  );
  assert.equal(visited[0]?.to, Number.POSITIVE_INFINITY);
});

test('a device that takes a page fault is still a device', () => {
  const history = historyOf([
    { n: 1, actor: 'gpu0', task: 't', kind: 'attach', role: 'device' },
    { n: 2, actor: 'gpu0', task: 't', kind: 'fault', mm: 0, page: 1, mode: 'read' },
    { n: 3, actor: 'cpu0', task: 't', kind: 'fault', mm: 0, page: 1, mode: 'read' },
  ]);
  assert.deepEqual(
    [...history.roles],
    [
      ['gpu0', 'device'],
      ['cpu0', 'cpu'],
    ],
  );
});
