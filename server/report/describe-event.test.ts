import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBody, describeEvent } from './describe-event.ts';
import { seedRaceEvents } from './golden/seed-race-events.fixture.ts';

test('the seed race reads as a log', () => {
  assert.deepEqual(seedRaceEvents('patched').map(describeEvent).slice(-13), [
    '   13 dev1     hmm_range_fault = OK',
    '   14 dev1     dev1 mirror 0x100200000: none -> zero page read',
    '   15 dev1     dev1 read 0x100200000 = 0x0 (system zero page)',
    '   16 dev0     migrate_vma_pages(migrate=1)',
    '   17 dev0     PTE 0x100200000: zero page -> device page 0x8000',
    '   18 dev0     migrate_vma_pages = OK',
    '   19 dev0     dev0 mirror 0x100200000: none -> frame 0x8000 write',
    '   20 dev0     migrate_vma_finalize(migrate=1)',
    '   21 dev0     migrate_vma_finalize = OK',
    '   22 dev0     mmap_read_unlock()',
    '   23 dev0     dev0 write 0x100200000 = 0x2a (private frame 0x8000)',
    '   24 dev1     dev1 read 0x100200000 = 0x0 (system zero page)',
    '   25 dev1     VIOLATION [OR3] values: dev1 at 0x100200000: dev1 read 0x0 through frame 0x0, ' +
      'but 0x100200000 was last written 0x2a by dev0.',
  ]);
});

test('ranges, other address spaces and every kind of entry have words', () => {
  assert.equal(
    describeBody({ kind: 'tlb-flush', mm: 1, first: 0x100200, end: 0x100208 }),
    'flush TLB mm1 0x100200000, 8 pages',
  );
  const entries = [
    { state: 'none' },
    { state: 'zero' },
    { state: 'present', pfn: 17, access: 'read' },
    { state: 'migration', pfn: 17, access: 'write' },
    { state: 'device-exclusive', pfn: 17, access: 'write' },
    { state: 'swap', slot: 3 },
    { state: 'poison' },
  ] as const;
  assert.deepEqual(
    entries.map((to) => describeBody({ kind: 'pte', mm: 0, page: 1, from: { state: 'none' }, to })),
    [
      'PTE 0x1000: empty, flags alone',
      'PTE 0x1000: empty -> zero page',
      'PTE 0x1000: empty -> frame 0x11 read-only',
      'PTE 0x1000: empty -> migration entry',
      'PTE 0x1000: empty -> device-exclusive frame 0x11',
      'PTE 0x1000: empty -> swap slot 3',
      'PTE 0x1000: empty -> poison',
    ],
  );
});
