import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event, EventBody } from '../abi/event.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE } from './golden/seed-race-events.fixture.ts';
import { checkTrace } from './perfetto/check-trace.fixture.ts';
import { perfettoTrace } from './perfetto.ts';

const PATCHED = runGolden('seed-zero-page', 'patched');
const STOCK = runGolden('seed-zero-page', 'stock');
const TWO = runGolden('two-migrators', 'stock');
const META = metaOf(PATCHED);

function checked(events: readonly Event[]): ReturnType<typeof checkTrace> {
  const trace = checkTrace(perfettoTrace(events, META));
  assert.deepEqual(trace.complaints, []);
  return trace;
}

for (const verdict of [STOCK, PATCHED]) {
  const kernel = verdict === STOCK ? 'stock' : 'patched';
  test(`the seed race as a trace, ${kernel}`, () => {
    assertGolden(
      `seed-zero-page.${kernel}.perfetto`,
      perfettoTrace(verdict.events, metaOf(verdict)),
    );
  });
}

test('every callback is one flow, bound at both ends, through slices that nest', () => {
  for (const { events } of [STOCK, PATCHED, TWO]) {
    const callbacks = events.filter(({ kind }) => kind === 'callback').length;
    assert.equal(checked(events).flows, callbacks);
  }
});

test('a trace that Perfetto would read wrongly is found', () => {
  const break_ = (from: string | RegExp, to: string) => {
    const text = perfettoTrace(STOCK.events, META);
    const broken = text.replace(from, to);
    assert.notEqual(broken, text);
    return checkTrace(broken).complaints.length;
  };
  assert.ok(break_(/"ph":"s".*?"ts":[\d.]+/, '"ph":"s","pid":1,"tid":10000,"ts":0.5') > 0);
  assert.ok(break_('"bp":"e"', '"bp":"s"') > 0);
  assert.ok(break_('"id":1,', '"id":2,') > 0);
  assert.ok(break_('"id":1,', '"id":"1",') > 0);
  assert.ok(break_(/"dur":7\.9/, '"dur":1.2') > 0);
  assert.ok(break_(/\{"ph":"e".*\n/, '') > 0);
  assert.ok(break_('"ts":1.05', '"ts":2.1') > 0);
  assert.ok(break_('"displayTimeUnit":"ns"', '"displayTimeUnit":"ms"') > 0);
});

test('CPUs share a process, each device has its own', () => {
  const { records } = checked(STOCK.events);
  const processes = records.filter(({ name }) => name === 'process_name');
  assert.deepEqual(
    processes.map(({ pid, args }) => [pid, args?.name]),
    [
      [1, 'mm (CPUs)'],
      [100, 'dev0 (device)'],
      [101, 'dev1 (device)'],
    ],
  );
});

test('a device counts the pages that it has and maps, and the faults that it repeats', () => {
  const { records } = checked(STOCK.events);
  const series = (pid: number, name: string) =>
    records
      .filter((record) => record.ph === 'C' && record.pid === pid && record.name === name)
      .map(({ args }) => args?.[name]);
  assert.deepEqual(series(100, 'pages resident'), [1, 0]);
  assert.deepEqual(series(100, 'pages mapped'), [1, 0]);
  assert.deepEqual(series(101, 'pages mapped'), [1, 0, 1]);
  assert.deepEqual(series(101, 'fault retries'), [1]);
});

test('migrations and invalidations in flight are drawn to their ends', () => {
  const { records } = checked(TWO.events);
  const lengths = records
    .filter(({ ph, cat }) => ph === 'b' && cat === 'migration')
    .map((begin) => records.find(({ ph, id }) => ph === 'e' && id === begin.id)?.ts ?? 0);
  const ends = TWO.events.filter(({ kind }) => kind === 'migration-end').map(({ n }) => n + 0.99);
  assert.deepEqual(lengths, ends);
});

const CALL: EventBody = { kind: 'call', function: 'munmap', args: {} };
const RETURN: EventBody = { kind: 'return', function: 'munmap', result: 'OK' };
const ASK: EventBody = { kind: 'callback', function: 'invalidate', device: 'dev0', args: {} };
const REPLY: EventBody = {
  kind: 'callback-return',
  function: 'invalidate',
  device: 'dev0',
  result: 'done',
};
const BRACKET = { id: 1, mm: 0, first: SEED_PAGE, end: SEED_PAGE + 1 };
const START: EventBody = {
  kind: 'invalidate_range_start',
  ...BRACKET,
  event: 'unmap',
  owner: 'none',
};
const END: EventBody = { kind: 'invalidate_range_end', ...BRACKET };
const SETUP: EventBody = { kind: 'call', function: 'migrate_vma_setup', args: {} };
const MIGRATED: EventBody = { kind: 'migration-end', device: 'dev1', id: 1 };
const RETRY: EventBody = { kind: 'return', function: 'hmm_range_fault', result: 'EBUSY' };

test('whatever is missing or out of step, the trace can be read', () => {
  const who = fc.constantFrom('cpu0', 'cpu1', 'dev0', 'dev1');
  const what = fc.constantFrom(CALL, RETURN, ASK, REPLY, START, END, SETUP, MIGRATED, RETRY);
  fc.assert(
    fc.property(fc.array(fc.tuple(who, what), { maxLength: 40 }), (list) => {
      checked(numbered(list));
    }),
    { numRuns: 200 },
  );
});

test('a log can begin and end anywhere', () => {
  for (let cut = 0; cut <= STOCK.events.length; cut += 1) {
    checked(STOCK.events.slice(0, cut));
    checked(STOCK.events.slice(cut));
  }
});

test('the order in which events are handed over does not matter', () => {
  const backwards = perfettoTrace(STOCK.events.toReversed(), META);
  assert.equal(backwards, perfettoTrace(STOCK.events, META));
});
