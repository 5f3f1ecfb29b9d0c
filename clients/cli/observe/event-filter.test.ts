import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../server/abi/event.ts';
import { runGolden } from '../../../server/report/golden/golden-runs.fixture.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';
import { type EventFilter, FILTERED_KINDS, passes } from './event-filter.ts';

const ALL: EventFilter = { actors: [], kinds: [], pages: [], functions: [] };
const EVENTS: readonly Event[] = runGolden('seed-zero-page', 'stock').events;

function kept(filter: Partial<EventFilter>): readonly Event[] {
  return EVENTS.filter((event) => passes(event, { ...ALL, ...filter }));
}

test('without a filter everything passes', () => {
  assert.equal(kept({}).length, EVENTS.length);
  assert.ok(EVENTS.length > 20);
});

test('an actor is meant by what it does and by what is done to it', () => {
  const names = new Set(EVENTS.map(({ actor }) => actor));
  for (const name of names) {
    const own = EVENTS.filter(({ actor }) => actor === name);
    const passed = kept({ actors: [name] });
    for (const event of own) assert.ok(passed.includes(event));
  }
  const done = EVENTS.find((event) => 'device' in event && event.actor !== event.device);
  assert.ok(done !== undefined && 'device' in done);
  assert.ok(kept({ actors: [done.device] }).includes(done));
});

test('a page is meant by ranges that cover it', () => {
  const pages = new Set(EVENTS.flatMap((event) => ('page' in event ? [event.page] : [])));
  const [page] = pages;
  assert.ok(page !== undefined);
  const passed = kept({ pages: [page] });
  assert.ok(passed.some(({ kind }) => kind === 'invalidate_range_start'));
  assert.ok(passed.some(({ kind }) => kind === 'pte'));
  assert.deepEqual(kept({ pages: [page + 512] }), []);
});

test('kinds and functions are alternatives among themselves and both have to fit', () => {
  const calls = kept({ functions: ['migrate_vma_pages'] });
  assert.deepEqual([...new Set(calls.map(({ kind }) => kind))].sort(), ['call', 'return']);
  assert.equal(
    kept({ functions: ['migrate_vma_pages'], kinds: ['call'] }).length,
    calls.length / 2,
  );
  assert.ok(kept({ kinds: ['pte', 'mirror'] }).length > kept({ kinds: ['pte'] }).length);
});

test('the kinds are those of the schema', () => {
  assert.ok(FILTERED_KINDS.includes('violation') && FILTERED_KINDS.includes('callback-return'));
  for (const { kind } of EVENTS) assert.ok(FILTERED_KINDS.includes(kind));
});

test('a function that no event names is refused before a server is asked', async () => {
  const { code, stderr } = await runMmrace('observe', '--function', 'migrate_vma_page');
  assert.equal(code, EXIT.USAGE);
  assert.match(stderr, /^mmrace: --function migrate_vma_page: .*did you mean "migrate_vma_pages"/);
});
