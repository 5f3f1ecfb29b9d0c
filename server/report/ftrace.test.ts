import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBody, PteView } from '../abi/event.ts';
import { ftraceText } from './ftrace.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE } from './golden/seed-race-events.fixture.ts';

const PATCHED = runGolden('seed-zero-page', 'patched');
const META = metaOf(PATCHED);
const HERE = { mm: 0, page: SEED_PAGE };

for (const kernel of ['stock', 'patched'] as const) {
  test(`the seed race as a trace file, ${kernel}`, () => {
    const verdict = runGolden('seed-zero-page', kernel);
    assertGolden(`seed-zero-page.${kernel}.ftrace`, ftraceText(verdict.events, metaOf(verdict)));
  });
}

/** The entries of the file, cut as Perfetto and trace-cmd cut them. */
function entriesOf(text: string): { task: string; time: number; name: string; fields: string }[] {
  const entry = /^ *(\S+)-\d+ +\[\d{3}\] \S{5} +(\d+\.\d{6}): (\w+): ?(.*)$/;
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const [, task, time, name, fields] = entry.exec(line) ?? assert.fail(line);
      return { task: String(task), time: Number(time), name: String(name), fields: String(fields) };
    });
}

test('every event is an entry, in order of time, under the name of its actor', () => {
  const entries = entriesOf(ftraceText(PATCHED.events.toReversed(), META));
  const inOrder = PATCHED.events.toSorted((a, b) => a.n - b.n);
  assert.deepEqual(
    entries.map(({ task, time }) => [task, Math.round(time * 1e6)]),
    inOrder.map(({ actor, n }) => [actor, n]),
  );
});

/** Name and fields of what one event becomes; `cpu0` and `dev0` take part. */
function traced(actor: string, body: EventBody): [name: string, fields: string] {
  const text = ftraceText(
    numbered([
      ['dev0', { kind: 'attach', role: 'device' }],
      [actor, body],
    ]),
    META,
  );
  const { name, fields } = entriesOf(text)[1] ?? assert.fail();
  return [name, fields];
}

test('what Linux has a tracepoint for carries its name and fields', () => {
  const migration: PteView = { state: 'migration', pfn: 0x11, access: 'read' };
  const present: PteView = { state: 'present', pfn: 0x12, access: 'write' };
  assert.deepEqual(traced('cpu0', { kind: 'pte', ...HERE, from: present, to: migration }), [
    'set_migration_pte',
    'addr=100200000, pte=11000 order=0',
  ]);
  assert.deepEqual(traced('cpu0', { kind: 'pte', ...HERE, from: migration, to: present }), [
    'remove_migration_pte',
    'addr=100200000, pte=12007 order=0',
  ]);
  assert.deepEqual(traced('cpu0', { kind: 'fault', ...HERE, mode: 'write' }), [
    'page_fault_user',
    'address=0x100200000 ip=0x0 error_code=0x6',
  ]);
  assert.deepEqual(traced('cpu0', { kind: 'signal', ...HERE, signal: 'SIGBUS' }), [
    'signal_generate',
    'sig=7 errno=0 code=1 comm=cpu0 pid=1000 grp=0 res=0',
  ]);
  assert.deepEqual(traced('cpu0', { kind: 'frame-free', pfn: 0x11 }), [
    'mm_page_free',
    'page=0000000000000000 pfn=0x11 order=0',
  ]);
  const range = { mm: 0, first: SEED_PAGE, end: SEED_PAGE + 8 };
  assert.deepEqual(traced('cpu0', { kind: 'tlb-flush', ...range }), [
    'tlb_flush',
    'pages:8 reason:remote shootdown (1)',
  ]);
  assert.deepEqual(traced('cpu0', { kind: 'lock', lock: 'mmap_lock', mode: 'write' }), [
    'mmap_lock_acquire_returned',
    'mm=0000000000000000 memcg_path= write=true success=true',
  ]);
  assert.deepEqual(traced('dev0', { kind: 'call', function: 'mmap_read_unlock', args: {} }), [
    'mmap_lock_released',
    'mm=0000000000000000 memcg_path= write=false',
  ]);
});

test('what only looks like a tracepoint of Linux has a name of ours', () => {
  // A device faults through handle_mm_fault(): there is no exception.
  assert.equal(traced('dev0', { kind: 'fault', ...HERE, mode: 'read' })[0], 'mmrace_hmm_fault');
  assert.equal(
    traced('dev0', { kind: 'lock', lock: 'driver_lock(0)', mode: 'write' })[0],
    'mmrace_lock',
  );
  assert.deepEqual(traced('cpu0', { kind: 'note', text: 'two\nlines' }), [
    'mmrace_note',
    'two lines',
  ]);
});

test('a migration that moved nothing says so', () => {
  const { events } = runGolden('two-migrators', 'stock');
  const ends = entriesOf(ftraceText(events, META)).filter(
    ({ name }) => name === 'mm_migrate_pages',
  );
  assert.deepEqual(
    ends.map(({ fields }) => fields.slice(0, 'nr_succeeded=1 nr_failed=0'.length)),
    // The winner, the loser, and the CPU that takes the page back.
    ['nr_succeeded=1 nr_failed=0', 'nr_succeeded=0 nr_failed=0', 'nr_succeeded=1 nr_failed=0'],
  );
});
