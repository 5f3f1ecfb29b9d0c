import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBody } from '../abi/event.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE } from './golden/seed-race-events.fixture.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import type { ReportMeta, ReportWait } from './report-meta.ts';
import { splat } from './splat.ts';

const { events: STALE, ...VERDICT } = runGolden('seed-zero-page', 'patched');
const META: ReportMeta = metaOf({ ...VERDICT, events: STALE });

test('a stale value looks like KCSAN', () => {
  assertGolden('seed-zero-page.patched.splat', splat(STALE, META));
});

test('a run in which nothing went wrong has no splat', () => {
  const verdict = runGolden('seed-zero-page', 'stock');
  assertGolden('seed-zero-page.stock.splat', splat(verdict.events, metaOf(verdict)));
});

test('the order in which events are handed over does not matter', () => {
  assert.equal(splat(STALE.toReversed(), META), splat(STALE, META));
});

function freedFrame(rule: 'OR2' | 'OR4'): ReturnType<typeof numbered> {
  const access: EventBody = {
    kind: 'device-access',
    device: 'dev1',
    page: SEED_PAGE,
    pfn: 17,
    mode: 'write',
    memory: 'system',
    value: '0x1',
  };
  const violation: EventBody = {
    kind: 'violation',
    oracle: 'frame safety',
    rule,
    text: 'dev1 reached the freed frame 0x11 at 0x100200000',
    device: 'dev1',
    page: SEED_PAGE,
    cpuHistory: [],
    deviceHistory: [2],
  };
  return numbered([
    ['dev1', { kind: 'call', function: 'copy_out', args: {} }],
    ['dev1', access],
    ['dev1', violation],
  ]);
}

test('a frame that is used after its end looks like refcount', () => {
  assert.deepEqual(splat(freedFrame('OR2'), META).split('\n'), [
    '------------[ cut here ]------------',
    'refcount_t: use-after-free (simulated)',
    'WARNING: [OR2] dev1 reached the freed frame 0x11 at 0x100200000',
    'by task dev1 on device dev1 (step 2)',
    'Kernel: remove-second-invalidate on 6.1, scenario seed-zero-page',
    'Call Trace:',
    ' <TASK>',
    ' dma_write',
    ' copy_out',
    ' task dev1 (dev1)',
    ' </TASK>',
    '---[ end trace 0000000000000000 ]---',
    '',
  ]);
  assert.match(splat(freedFrame('OR4'), META), /refcount_t: leaking memory \(simulated\)/);
});

const CIRCLE: readonly ReportWait[] = [
  {
    task: 'dev0 read',
    holds: 'mmap_lock',
    heldSince: 'dmirror_fault.mmap',
    wants: 'driver_lock',
    waitsAt: 'dmirror_fault.lock',
  },
  {
    task: 'cpu0 munmap',
    holds: 'driver_lock',
    heldSince: 'dmirror_invalidate.lock',
    wants: 'mmap_lock',
    waitsAt: 'munmap.mmap_lock',
  },
];

test('a circle of waiting looks like lockdep', () => {
  const text = splat([], { ...META, seen: 'dev0 and cpu0 wait for each other', waits: CIRCLE });
  assert.deepEqual(text.split('\n').slice(0, 28), [
    '='.repeat(66),
    'WARNING: possible circular locking dependency detected (simulated)',
    'seed-zero-page, kernel remove-second-invalidate on 6.1',
    '-'.repeat(66),
    'dev0 read is trying to acquire lock:',
    ' (driver_lock), at: dmirror_fault.lock',
    '',
    'but task is already holding lock:',
    ' (mmap_lock), at: dmirror_fault.mmap',
    '',
    'cpu0 munmap is trying to acquire lock:',
    ' (mmap_lock), at: munmap.mmap_lock',
    '',
    'but task is already holding lock:',
    ' (driver_lock), at: dmirror_invalidate.lock',
    '',
    'Chain exists of:',
    '  mmap_lock --> driver_lock --> mmap_lock',
    '',
    ' Possible unsafe locking scenario:',
    '',
    '       CPU0                    CPU1',
    '       ----                    ----',
    '  lock(mmap_lock);',
    `${' '.repeat(31)}lock(driver_lock);`,
    `${' '.repeat(31)}lock(mmap_lock);`,
    '  lock(driver_lock);',
    '',
  ]);
  assert.match(text, /\*\*\* DEADLOCK \*\*\*/);
});

test('waiting without a circle is a task blocked for ever', () => {
  const [first] = CIRCLE;
  assert.ok(first !== undefined);
  const text = splat([], { ...META, waits: [{ ...first, holds: '' }] });
  assert.match(text, /INFO: tasks blocked for ever \(simulated\)/);
  assert.doesNotMatch(text, /DEADLOCK|already holding/);
});

test('no line is longer than the list takes, whatever the names', () => {
  const long = 'x'.repeat(100);
  const waits = CIRCLE.map((wait) => ({ ...wait, task: long, holds: long, wants: long }));
  const texts = [splat(STALE, { ...META, name: long }), splat([], { ...META, waits })];
  for (const line of texts.join('').split('\n')) assert.ok(line.length <= LIST_COLUMNS_MAX, line);
});
