import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBody, PteView } from '../abi/event.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { runGolden } from './golden/golden-runs.fixture.ts';
import { numbered } from './golden/seed-race-events.fixture.ts';
import { PAGEMAP_ROWS_MAX, pagemapEntry, pagemapText } from './pagemap.ts';

test('the seed race at its end and while the page is on the device', () => {
  const { events } = runGolden('seed-zero-page', 'stock');
  const moved = events.find((event) => event.kind === 'pte' && event.to.state === 'device-private');
  assert.ok(moved !== undefined);
  assertGolden('seed-zero-page.stock.pagemap', pagemapText(events, moved.n) + pagemapText(events));
});

test('present is bit 63, everything with a swap type is bit 62', () => {
  const entry = (pte: PteView) => pagemapEntry(pte, 'private').toString(16);
  assert.equal(entry({ state: 'none' }), '0');
  assert.equal(entry({ state: 'zero' }), '8000000000000000');
  assert.equal(entry({ state: 'present', pfn: 0x11, access: 'read' }), '8000000000000011');
  assert.equal(entry({ state: 'migration', pfn: 1, access: 'read' }), '4000000000000038');
  assert.equal(entry({ state: 'migration', pfn: 1, access: 'write' }), '400000000000003a');
  assert.equal(entry({ state: 'device-private', pfn: 1, access: 'write' }), '400000000000003b');
  assert.equal(entry({ state: 'device-private', pfn: 1, access: 'read' }), '400000000000003c');
  assert.equal(entry({ state: 'device-exclusive', pfn: 1, access: 'write' }), '400000000000003d');
  assert.equal(entry({ state: 'device-exclusive', pfn: 1, access: 'read' }), '400000000000003e');
  assert.equal(entry({ state: 'swap', slot: 3 }), '4000000000000060');
  assert.equal(entry({ state: 'poison' }), '4000000000000017');
  const shared = pagemapEntry({ state: 'present', pfn: 1, access: 'read' }, 'file-or-shared');
  assert.equal(shared.toString(16), 'a000000000000001');
});

function vma(
  change: string,
  first: number,
  end: number,
  prot = 'rw',
): readonly [string, EventBody] {
  return ['cpu0', { kind: 'vma', mm: 0, first, end, change, prot }];
}

/** The lines of maps. */
function maps(...changes: (readonly [string, EventBody])[]): string[] {
  return pagemapText(numbered(changes))
    .split('\n')
    .filter((line) => line.includes('-'));
}

test('mappings are split, merged and moved', () => {
  const mapped = vma('mmap anon-private', 0x100, 0x108);
  assert.deepEqual(maps(mapped), ['00100000-00108000 rw-p 00000000 00:00 0']);
  assert.deepEqual(maps(mapped, vma('mprotect', 0x102, 0x104, 'r')), [
    '00100000-00102000 rw-p 00000000 00:00 0',
    '00102000-00104000 r--p 00000000 00:00 0',
    '00104000-00108000 rw-p 00000000 00:00 0',
  ]);
  assert.deepEqual(
    maps(mapped, vma('mprotect', 0x102, 0x104, 'r'), vma('mprotect', 0x102, 0x104, 'rw')),
    maps(mapped),
  );
  assert.deepEqual(maps(mapped, vma('munmap', 0x100, 0x107, 'none')), [
    '00107000-00108000 rw-p 00000000 00:00 0',
  ]);
  const shared = vma('mmap anon-shared', 0x100, 0x108);
  const moved = [vma('munmap', 0x100, 0x108, 'none'), vma('mremap', 0x200, 0x208)] as const;
  assert.deepEqual(maps(shared, ...moved), [
    '00200000-00208000 rw-s 00000000 00:00 0 /dev/zero (deleted)',
  ]);
});

test('a table that is too long says how much is missing', () => {
  const zero = { from: { state: 'none' }, to: { state: 'zero' } } as const;
  const entries = Array.from(
    { length: PAGEMAP_ROWS_MAX + 2 },
    (_, page) => ['cpu0', { kind: 'pte', mm: 0, page, ...zero }] as const,
  );
  assert.match(pagemapText(numbered(entries)), /\n# 2 more entries\n/);
});

test('an empty log has an empty process', () => {
  assert.equal(
    pagemapText([]),
    '# maps of mm0 after step 0 (simulated)\n# pagemap of mm0 after step 0 (simulated)\n',
  );
});
