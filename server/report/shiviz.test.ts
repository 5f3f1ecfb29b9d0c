import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event, EventBody } from '../abi/event.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE } from './golden/seed-race-events.fixture.ts';
import { SHIVIZ_EVENT, SHIVIZ_RUN, shivizLog } from './shiviz.ts';

const PATCHED = runGolden('seed-zero-page', 'patched');
const STOCK = runGolden('seed-zero-page', 'stock');
const META = metaOf(PATCHED);

for (const verdict of [STOCK, PATCHED]) {
  const kernel = verdict === STOCK ? 'stock' : 'patched';
  test(`the seed race as a log with vector clocks, ${kernel}`, () => {
    assertGolden(`seed-zero-page.${kernel}.shiviz`, shivizLog(verdict.events, metaOf(verdict)));
  });
}

interface Entry {
  readonly event: string;
  readonly host: string;
  readonly clock: { readonly [host: string]: number };
}

/** Cuts a file as ShiViz does: with the expressions that it begins with. */
function entriesOf(text: string): Entry[] {
  const [event = '', run = '', ...rest] = text.split('\n');
  assert.deepEqual([event, run], [SHIVIZ_EVENT, SHIVIZ_RUN]);
  const [before, label, log = ''] = rest.join('\n').split(new RegExp(run, 'm'));
  assert.deepEqual([before, label], ['', `${META.name} ${META.patch} on ${META.kernel}`]);
  return [...log.matchAll(new RegExp(event, 'gm'))].map(({ groups }) => ({
    event: String(groups?.event),
    host: String(groups?.host),
    clock: JSON.parse(String(groups?.clock)),
  }));
}

function entries(events: readonly Event[]): Entry[] {
  const read = entriesOf(shivizLog(events, META));
  assert.equal(read.length, events.length);
  return read;
}

/** What ShiViz asks of a log: each clock has its own host, which ticks by 1, and knows only what has happened. */
function assertClocks(read: readonly Entry[]): void {
  const ticks = new Map<string, number>();
  for (const { host, clock } of read) {
    assert.equal(clock[host], (ticks.get(host) ?? 0) + 1, `${host} ticks by 1`);
    ticks.set(host, clock[host] ?? 0);
    for (const [other, time] of Object.entries(clock)) {
      assert.ok(time <= (ticks.get(other) ?? 0), `${host} knows the future of ${other}`);
    }
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return (b.clock[a.host] ?? 0) >= (a.clock[a.host] ?? 0);
}

test('each clock has its own host and ticks by 1', () => {
  assertClocks(entries(STOCK.events));
  assertClocks(entries(PATCHED.events));
});

test('a callback is after the invalidation that sets it off, and before its end', () => {
  const read = entries(STOCK.events);
  const find = (from: number, word: string) => {
    const at = read.findIndex(({ event }, index) => index > from && event.startsWith(word));
    assert.ok(at > from, word);
    return at;
  };
  const start = find(-1, 'invalidate_range_start');
  const callback = find(start, '-> dev1: invalidate');
  const reply = find(callback, '<- dev1: invalidate');
  const end = find(reply, 'invalidate_range_end');
  const path = [start, callback, reply, end].map((at) => read[at] ?? assert.fail());
  for (const [at, entry] of path.entries()) {
    for (const later of path.slice(at + 1)) {
      assert.ok(isBefore(entry, later), `${entry.event} before ${later.event}`);
      assert.ok(!isBefore(later, entry), `${later.event} not before ${entry.event}`);
    }
  }
});

test('without the second invalidation the stale read is concurrent with the write', () => {
  const last = (events: readonly Event[], word: string) =>
    entries(events).findLast(({ event }) => event.startsWith(word)) ?? assert.fail(word);
  const order = (events: readonly Event[]) => {
    const write = last(events, 'dev0 write 0x100200000 = 0x2a (private');
    const read = last(events, 'dev1 read');
    return [isBefore(write, read), isBefore(read, write)];
  };
  assert.deepEqual(order(PATCHED.events), [false, false]);
  assert.deepEqual(order(STOCK.events), [true, false]);
});

test('an unlock is before the next lock, but readers do not order each other', () => {
  const lock = (mode: string): EventBody => ({ kind: 'lock', lock: 'driver_lock', mode });
  const unlock: EventBody = { kind: 'unlock', lock: 'driver_lock' };
  const ordered = (first: string, second: string) => {
    const [, unlocked, locked] = entries(
      numbered([
        ['a', lock(first)],
        ['a', unlock],
        ['b', lock(second)],
      ]),
    );
    return isBefore(unlocked ?? assert.fail(), locked ?? assert.fail());
  };
  assert.ok(ordered('write', 'write'));
  assert.ok(ordered('write', 'read'));
  assert.ok(ordered('read', 'write'));
  assert.ok(!ordered('read', 'read'));
});

test('the task that asks a device waits for its reply', () => {
  const ask: EventBody = { kind: 'callback', function: 'migrate_to_ram', device: 'dev0', args: {} };
  const reply: EventBody = {
    kind: 'callback-return',
    function: 'migrate_to_ram',
    device: 'dev0',
    result: 'OK',
  };
  const fault: EventBody = { kind: 'fault', mm: 0, page: SEED_PAGE, mode: 'read' };
  const [faulted, asked, replied, again] = entries(
    numbered([
      ['cpu0', fault],
      ['cpu0', ask],
      ['cpu0', reply],
      ['cpu0', fault],
    ]),
  );
  assert.deepEqual(faulted?.clock, { cpu0: 1 });
  assert.deepEqual(asked?.clock, { cpu0: 1, dev0: 1 });
  assert.deepEqual(replied?.clock, { cpu0: 1, dev0: 2 });
  assert.deepEqual(again?.clock, { cpu0: 2, dev0: 2 });
});

test('whatever the names and the order, the log can be read', () => {
  const who = fc.constantFrom('cpu 0', 'dev0', '');
  const what = fc.constantFrom<EventBody>(
    { kind: 'note', text: 'two\nlines {"a":1}' },
    { kind: 'call', function: 'munmap', args: {} },
    { kind: 'callback', function: 'invalidate', device: 'dev0', args: {} },
    { kind: 'callback-return', function: 'invalidate', device: 'dev0', result: 'done' },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(who, what), { maxLength: 20 }), (list) => {
      assertClocks(entries(numbered(list)));
    }),
    { numRuns: 100 },
  );
});
