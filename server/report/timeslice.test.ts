import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE, seedRaceEvents } from './golden/seed-race-events.fixture.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import { TIME_SLICES_MAX, timeSliceDiagram } from './timeslice.ts';

for (const kernel of ['stock', 'patched'] as const) {
  test(`the seed race in slices of time, ${kernel}`, () => {
    const { events } = runGolden('seed-zero-page', kernel);
    assertGolden(`seed-zero-page.${kernel}.timeslice`, timeSliceDiagram(events));
  });
}

/** A load by `actor`, as distinguishable from the others as `value` is. */
function load(actor: string, value: number) {
  const access = { mm: 0, page: SEED_PAGE, pfn: 1, mode: 'read', value: `0x${value}` } as const;
  return [actor, { kind: 'cpu-access', ...access }] as const;
}

test('idle actors have empty braces, unless there are many', () => {
  const idleRows = (cpus: number) => {
    // Twice each: who only begins or ends the story is left out of it.
    const loads = Array.from({ length: 2 * cpus }, (_, at) => load(`cpu${at % cpus}`, at));
    const lines = timeSliceDiagram(numbered(loads)).split('\n');
    assert.ok(lines.includes('CPU-thread-5  {load 0x100200000 = 0x5}'));
    return lines.filter((line) => line.endsWith('  {}')).length;
  };
  assert.equal(idleRows(6), 12 * 5);
  assert.equal(idleRows(7), 0);
});

test('a long story begins with dots', () => {
  const loads = Array.from({ length: TIME_SLICES_MAX + 2 }, (_, at) => load(`cpu${at % 2}`, at));
  const lines = timeSliceDiagram(numbered(loads)).split('\n');
  assert.deepEqual(
    lines.slice(1, 3).map((line) => line.slice(0, 9)),
    ['...', '[Time 3] '],
  );
});

test('no events draw no picture', () => {
  assert.equal(timeSliceDiagram([]), 'Nothing happened to this page.');
});

test('no line is longer than asked for, and none ends in a space', () => {
  const name = fc.stringMatching(/^[a-z0-9-]{1,100}$/);
  fc.assert(
    fc.property(fc.integer({ min: 40, max: 200 }), name, name, (columns, a, b) => {
      const renamed = seedRaceEvents('patched').map((event) => {
        const of = (actor: string) => (actor === 'dev0' ? `0${a}` : `1${b}`);
        const device = 'device' in event ? { device: of(event.device) } : {};
        return { ...event, actor: of(event.actor), ...device };
      });
      for (const line of timeSliceDiagram(renamed, { columns }).split('\n')) {
        assert.ok(line.length <= Math.min(columns, LIST_COLUMNS_MAX), line);
        assert.equal(line, line.trimEnd());
      }
    }),
    { numRuns: 50 },
  );
});
