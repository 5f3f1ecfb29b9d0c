import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event, EventBody, PteView } from '../abi/event.ts';
import { DIAGRAM_COLUMNS_MAX, DIAGRAM_ROWS_MAX, raceDiagram } from './diagram.ts';
import { numbered, SEED_PAGE, seedRaceEvents } from './golden/seed-race-events.fixture.ts';

function assertDiagram(actual: string, expected: string): void {
  assert.deepEqual(actual.split('\n'), expected.slice(1, -1).split('\n'));
}

test('the seed race without the second invalidation ends in a stale read', () => {
  assertDiagram(
    raceDiagram(seedRaceEvents('patched')),
    `
At first: PTE 0x100200000 = zero page

dev0                                 dev1
----                                 ----
 1. migrate_vma_setup()
                                      2. invalidate 0x100200000
 3. invalidation of 0x100200000 ends
                                      4. hmm_range_fault() = zero page
                                      5. map 0x100200000 = zero page (r)
                                      6. read 0x100200000 = 0x0
 7. migrate_vma_pages()
 8. PTE 0x100200000: zero page ->
    device page 0x8000
 9. map 0x100200000 = device page
    0x8000 (rw)
10. migrate_vma_finalize()
11. write 0x100200000 = 0x2a
                                     12. read 0x100200000 = 0x0
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
At first: PTE 0x100200000 = zero page

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
 9. map 0x100200000 = device page
    0x8000 (rw)
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
At first: PTE 0x100200000 = frame 0x11

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
   0x0, by a stale TLB
   entry
`,
  );
});

const PRESENT = { state: 'present', pfn: 0x11, access: 'write' } as const;

test('more actors than three get time slices', () => {
  const events = numbered([
    ['cpu0', load('0x1')],
    ['dev0', invalidated('dev0')],
    ['dev1', invalidated('dev1')],
    ['cpu1', load('0x1')],
    ['cpu0', load('0x1')],
  ]);
  assertDiagram(
    raceDiagram(events),
    `
CPU-thread-0=cpu0  CPU-thread-1=cpu1  DEV-thread-0=dev0  DEV-thread-1=dev1
[Time 1] -----------------------------------------------------------------
CPU-thread-0  {load 0x100200000 = 0x1}
CPU-thread-1  {}
DEV-thread-0  {}
DEV-thread-1  {}
[Time 2] -----------------------------------------------------------------
CPU-thread-0  {}
CPU-thread-1  {}
DEV-thread-0  {invalidate 0x100200000, 8 pages}
DEV-thread-1  {invalidate 0x100200000, 8 pages}
[Time 3] -----------------------------------------------------------------
CPU-thread-0  {}
CPU-thread-1  {load 0x100200000 = 0x1}
DEV-thread-0  {}
DEV-thread-1  {}
[Time 4] -----------------------------------------------------------------
CPU-thread-0  {load 0x100200000 = 0x1}
CPU-thread-1  {}
DEV-thread-0  {}
DEV-thread-1  {}
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
  assert.match(drawn, /\n\[Time 1\] -+\nCPU-thread-0 {2}{}\nDEV-thread-0 {2}{invalidate/);
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
  assert.equal(drawn.split('\n')[2], 'dev1                                 dev0');
  const alone = raceDiagram(seedRaceEvents('stock'), { actors: ['dev1'], columns: 75 });
  assert.ok(!alone.includes('migrate_vma_setup'));
});

test('a violation that was seen coming is marked where it does harm', () => {
  const events = seedRaceEvents('patched');
  const inserted = events.findIndex((event) => event.kind === 'pte');
  const early: EventBody = {
    kind: 'violation',
    oracle: 'mirror coherence',
    rule: 'OR1',
    text: 'dev1 maps the zero page, but the CPU entry is device-private.',
    device: 'dev1',
    page: SEED_PAGE,
    cpuHistory: [],
    deviceHistory: [],
  };
  const list = events.map(({ n: _n, task: _task, actor, ...body }) => [actor, body] as const);
  list.splice(inserted + 1, 0, ['dev0', early]);
  const lines = raceDiagram(numbered(list)).split('\n');
  assert.ok(lines.includes(`${' '.repeat(41)}<-- BUG stale`));
  assert.equal(lines.filter((line) => line.includes('BUG stale')).length, 1);
  assert.match(lines.at(-2) ?? '', /^BUG: \[OR3\]/);
});

test('without a later access the step that broke the rule is marked', () => {
  const entry = (from: 'zero' | 'none'): EventBody => ({
    kind: 'pte',
    mm: 0,
    page: SEED_PAGE,
    from: { state: from },
    to: { state: 'none' },
  });
  const violation: EventBody = {
    kind: 'violation',
    oracle: 'mirror coherence',
    rule: 'OR1',
    text: 'dev1 maps what is gone.',
    device: 'dev1',
    page: SEED_PAGE,
    cpuHistory: [],
    deviceHistory: [],
  };
  const drawn = raceDiagram(
    numbered([
      ['dev1', load('0x0')],
      ['cpu0', entry('zero')],
      ['cpu0', violation],
      ['dev1', invalidated('dev1')],
    ]),
  );
  assertDiagram(
    drawn,
    `
At first: PTE 0x100200000 = zero page

dev1                                 cpu0
----                                 ----
1. load 0x100200000 = 0x0
                                     2. PTE 0x100200000: zero page -> empty
                                        <-- BUG stale

BUG: [OR1] dev1 maps what is gone.
`,
  );
});

test('an event list in the wrong order tells the same story', () => {
  const events = seedRaceEvents('patched');
  assert.equal(raceDiagram(events.toReversed()), raceDiagram(events));
});

test('an actor that only set the scene is no column, one that came in between is', () => {
  const scene: [string, EventBody][] = [['cpu0', load('0x0')]];
  const race = seedRaceEvents('stock').map(
    ({ n: _n, task: _task, actor, ...body }) => [actor, body] as [string, EventBody],
  );
  const before = raceDiagram(numbered([...scene, ...race, ...scene]));
  assert.ok(!before.includes('cpu0'));
  const between = raceDiagram(numbered([...race.slice(0, 16), ...scene, ...race.slice(16)]));
  assert.ok(between.includes('cpu0'));
});

test('a migrate_to_ram that is not disturbed is two rows, one that another task comes into is told', () => {
  const race = seedRaceEvents('stock').map(
    ({ n: _n, task: _task, actor, ...body }) => [actor, body] as [string, EventBody],
  );
  const serving = race.findIndex(
    ([, body]) => body.kind === 'callback' && body.function === 'migrate_to_ram',
  );
  const inside: [string, EventBody][] = [['dev0', call('migrate_vma_setup', RANGE)]];
  const folded = [...race.slice(0, serving + 1), ...inside, ...race.slice(serving + 1)];
  assert.equal(raceDiagram(numbered(folded)), raceDiagram(numbered(race)));
  inside.push(['cpu0', load('0x7')]);
  const told = [...race.slice(0, serving + 1), ...inside, ...race.slice(serving + 1)];
  assert.equal(raceDiagram(numbered(told)).match(/migrate_vma_setup/g)?.length, 2);
});

test('a migration that inserts nothing says so, and the page prepared for it is freed', () => {
  const own = { first: SEED_PAGE, end: SEED_PAGE + 1 };
  const drawn = raceDiagram(
    numbered([
      ['dev1', call('migrate_vma_setup', own)],
      ['dev1', { kind: 'frame-alloc', pfn: 0x8001 }],
      ['dev1', call('migrate_vma_pages', own)],
      ['dev1', { kind: 'return', function: 'migrate_vma_pages', result: 'OK' }],
      ['dev1', call('migrate_vma_finalize', own)],
      ['dev1', { kind: 'frame-free', pfn: 0x8001 }],
      ['dev1', { kind: 'frame-free', pfn: 0x8002 }],
    ]),
    { page: SEED_PAGE, columns: 75 },
  );
  assertDiagram(
    drawn,
    `
dev1
----
1. migrate_vma_setup()
2. migrate_vma_pages() = not inserted
3. migrate_vma_finalize()
4. free frame 0x8001
`,
  );
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

test('an entry that nothing tells of is not said to be empty', () => {
  const fault: readonly [string, EventBody][] = [
    ['dev0', call('hmm_range_fault', { ...RANGE })],
    ['dev0', { kind: 'return', function: 'hmm_range_fault', result: 'OK' }],
  ];
  assert.doesNotMatch(raceDiagram(numbered(fault)), /empty/);
  const cleared: EventBody = {
    kind: 'pte',
    mm: 0,
    page: SEED_PAGE,
    from: PRESENT,
    to: { state: 'none' },
  };
  assert.match(
    raceDiagram(numbered([...fault, ['cpu0', cleared]])),
    /hmm_range_fault\(.*\s.*= frame/,
  );
});

test('an entry that comes back to what it was says so, and one that keeps frame and rights', () => {
  const change = (from: PteView, to: PteView): EventBody => {
    return { kind: 'pte', mm: 0, page: SEED_PAGE, from, to };
  };
  const dev0 = { kind: 'call', function: 'migrate_vma_setup', args: { ...RANGE } } as const;
  const collected = raceDiagram(
    numbered([
      ['cpu0', change(PRESENT, PRESENT)],
      ['dev0', dev0],
      ['dev0', change(PRESENT, { state: 'migration', pfn: 0x11, access: 'write' })],
      ['dev0', change({ state: 'migration', pfn: 0x11, access: 'write' }, PRESENT)],
    ]),
  ).replaceAll(/\s+/g, ' ');
  assert.match(collected, /PTE 0x100200000: frame 0x11, flags alone/);
  assert.match(collected, /frame 0x11 -> migration entry -> frame 0x11/);
});

test('a call that breaks a rule before it does anything has no row, and is told', () => {
  const refused: EventBody = {
    kind: 'violation',
    oracle: 'driver contract',
    rule: 'CR12',
    text: 'dev0 called hmm_range_fault() without mmap_lock',
    device: 'dev0',
    page: SEED_PAGE,
    cpuHistory: [],
    deviceHistory: [],
  };
  assert.equal(
    raceDiagram(numbered([['dev0', refused]])),
    'Nothing happened to this page.\n\nBUG: [CR12] dev0 called hmm_range_fault() without mmap_lock',
  );
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
