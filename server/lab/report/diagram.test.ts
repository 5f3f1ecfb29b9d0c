import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event, EventBody } from '../../protocol/event.ts';
import { DIAGRAM_COLUMNS_MAX, DIAGRAM_ROWS_MAX, raceDiagram } from './diagram.ts';
import { numbered, SEED_PAGE, seedRaceEvents } from './seed-race-events.ts';

function assertDiagram(actual: string, expected: string): void {
  assert.deepEqual(actual.split('\n'), expected.slice(1, -1).split('\n'));
}

test('the seed race without the second invalidation ends in a stale read', () => {
  assertDiagram(
    raceDiagram(seedRaceEvents('patched')),
    `
dev0                                 dev1
----                                 ----
 1. migrate_vma_setup()
                                      2. invalidate 0x100200000
                                      3. hmm_range_fault() = zero page
                                      4. map 0x100200000 = zero page (r)
                                      5. read 0x100200000 = 0x0
 6. migrate_vma_pages()
 7. PTE 0x100200000: zero page ->
    device page 0x8000
 8. map 0x100200000 = frame 0x8000
    (rw)
 9. migrate_vma_finalize()
10. write 0x100200000 = 0x2a
                                     11. read 0x100200000 = 0x0
                                         <-- BUG stale

BUG: [OR3] dev1 read 0x0 through frame 0x0, but 0x100200000 was last
written 0x2a by dev0.
`,
  );
});

test('the seed race on the stock kernel ends in the value that was written', () => {
  assertDiagram(
    raceDiagram(seedRaceEvents('stock')),
    `
dev0                                 dev1
----                                 ----
 1. migrate_vma_setup()
                                      2. invalidate 0x100200000
                                      3. hmm_range_fault() = zero page
                                      4. map 0x100200000 = zero page (r)
                                      5. read 0x100200000 = 0x0
 6. migrate_vma_pages()
                                      7. invalidate 0x100200000
 8. PTE 0x100200000: zero page ->
    device page 0x8000
 9. map 0x100200000 = frame 0x8000
    (rw)
10. migrate_vma_finalize()
11. write 0x100200000 = 0x2a
                                     12. hmm_range_fault()
13. migrate_to_ram 0x100200000
14. PTE 0x100200000: device page
    0x8000 -> frame 0x11
                                     15. hmm_range_fault() = frame 0x11
                                     16. map 0x100200000 = frame 0x11 (r)
                                     17. read 0x100200000 = 0x2a
`,
  );
});

const RANGE = { first: SEED_PAGE, end: SEED_PAGE + 8 };

function call(name: string, args: Record<string, number | string> = {}): EventBody {
  return { kind: 'call', function: name, args };
}

function invalidated(device: string): EventBody {
  return { kind: 'callback', function: 'invalidate', device, args: { ...RANGE } };
}

function load(value: string): EventBody {
  return { kind: 'cpu-access', mm: 0, page: SEED_PAGE, pfn: 0x11, mode: 'read', value };
}

test('a CPU and two devices get three columns', () => {
  const events = numbered([
    ['cpu0', call('madvise', { ...RANGE, advice: 'DONTNEED' })],
    ['dev0', invalidated('dev0')],
    ['dev1', invalidated('dev1')],
    ['cpu0', { kind: 'pte', mm: 0, page: SEED_PAGE, from: PRESENT, to: { state: 'none' } }],
    ['cpu0', load('0x0')],
  ]);
  assertDiagram(
    raceDiagram(events),
    `
cpu0                     dev0                     dev1
----                     ----                     ----
1. madvise(0x100200000,
   8 pages, DONTNEED)
                         2. invalidate
                            0x100200000, 8 pages
                                                  3. invalidate
                                                     0x100200000, 8 pages
4. PTE 0x100200000:
   frame 0x11 -> empty
5. load 0x100200000 =
   0x0
`,
  );
});

const PRESENT = { state: 'present', pfn: 0x11, access: 'write' } as const;

test('more actors than three get time slices', () => {
  const events = numbered([
    ['cpu0', load('0x1')],
    ['cpu1', load('0x1')],
    ['dev0', invalidated('dev0')],
    ['dev1', invalidated('dev1')],
  ]);
  assertDiagram(
    raceDiagram(events),
    `
[Time 1] -----------------------------------------------------------------
cpu0  load 0x100200000 = 0x1
[Time 2] -----------------------------------------------------------------
cpu1  load 0x100200000 = 0x1
[Time 3] -----------------------------------------------------------------
dev0  invalidate 0x100200000, 8 pages
[Time 4] -----------------------------------------------------------------
dev1  invalidate 0x100200000, 8 pages
`,
  );
});

test('names too long for a column get time slices', () => {
  const long = 'a-device-with-a-name-that-nobody-can-say';
  const drawn = raceDiagram(
    numbered([
      [long, invalidated(long)],
      ['cpu0', load('0x1')],
    ]),
  );
  assert.match(drawn, /^\[Time 1\] -+\na-device-with-a-name-that {2}invalidate/);
});

test('actors that took no part in the story of the page are left out', () => {
  const elsewhere: EventBody = {
    kind: 'device-access',
    device: 'dev9',
    page: SEED_PAGE + 1,
    pfn: 0x12,
    mode: 'read',
    memory: 'system',
    value: '0x0',
  };
  const events = numbered([
    ['dev0', invalidated('dev0')],
    ['dev9', elsewhere],
    ['dev9', call('mmap_read_lock')],
    ['cpu0', load('0x1')],
  ]);
  assert.deepEqual(raceDiagram(events, { page: SEED_PAGE, columns: 75 }).split('\n').slice(0, 1), [
    'dev0                                 cpu0',
  ]);
});

test('the caller may choose the columns and their order', () => {
  const drawn = raceDiagram(seedRaceEvents('stock'), { actors: ['dev1', 'dev0'], columns: 75 });
  assert.equal(drawn.split('\n')[0], 'dev1                                 dev0');
  const alone = raceDiagram(seedRaceEvents('stock'), { actors: ['dev1'], columns: 75 });
  assert.ok(!alone.includes('migrate_vma_setup'));
});

test('a result that comes after another actor stepped in has a row of its own', () => {
  const events = numbered([
    ['dev0', call('hmm_range_fault', RANGE)],
    ['cpu0', load('0x1')],
    ['dev0', { kind: 'return', function: 'hmm_range_fault', result: 'EBUSY' }],
  ]);
  assertDiagram(
    raceDiagram(events, { page: SEED_PAGE, columns: 75 }),
    `
dev0                                 cpu0
----                                 ----
1. hmm_range_fault()
                                     2. load 0x100200000 = 0x1
3. hmm_range_fault() = EBUSY
`,
  );
});

test('the same step again and again is one row', () => {
  const retry: [string, EventBody][] = [
    ['dev0', call('hmm_range_fault', RANGE)],
    ['dev0', { kind: 'return', function: 'hmm_range_fault', result: 'EBUSY' }],
  ];
  const drawn = raceDiagram(numbered([...retry, ...retry, ...retry]), {
    page: SEED_PAGE,
    columns: 75,
  });
  assert.match(drawn, /\n1\. hmm_range_fault\(\) = EBUSY \(x3\)$/);
});

test('a long story shows its end and says that it does', () => {
  const values = Array.from({ length: DIAGRAM_ROWS_MAX + 5 }, (_, at) => load(`0x${at}`));
  const lines = raceDiagram(numbered(values.map((event) => ['cpu0', event]))).split('\n');
  assert.equal(lines[2], '...');
  assert.equal(lines[3], ' 6. load 0x100200000 = 0x5');
  assert.equal(lines.length, 3 + DIAGRAM_ROWS_MAX);
});

test('no events draw no picture', () => {
  assert.equal(raceDiagram([]), 'Nothing happened to this page.');
});

test('whatever happens, no line is longer than the list takes and none ends in a space', () => {
  const actor = fc.constantFrom('cpu0', 'dev0', 'a-rather-long-device', 'x'.repeat(90), 'dev2');
  const word = fc.string({ minLength: 1, maxLength: 90 }).map((text) => text.replace(/\s/g, '_'));
  const body = fc.oneof(
    fc.record({ kind: fc.constant('call' as const), function: word, args: fc.constant({}) }),
    fc.record({ kind: fc.constant('return' as const), function: word, result: word }),
    word.map((value): EventBody => load(value)),
    actor.map(invalidated),
    fc.record({ text: word, device: actor }).map(
      ({ text, device }): EventBody => ({
        kind: 'violation',
        oracle: 'values',
        rule: 'OR3',
        text,
        device,
        page: SEED_PAGE,
        cpuHistory: [],
        deviceHistory: [1, 2, 3],
      }),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(actor, body), { maxLength: 12 }), (list) => {
      const events: Event[] = numbered(list);
      for (const line of raceDiagram(events, { page: SEED_PAGE, columns: 75 }).split('\n')) {
        assert.ok(line.length <= DIAGRAM_COLUMNS_MAX, `${line.length}: ${line}`);
        assert.equal(line, line.trimEnd());
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
