/** Oracle 4: each kind of thing that can be left behind is named, and a world at rest has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { getPage, PIN_BIAS } from '../../kernel/memory/frames.ts';
import { allocPage } from '../../kernel/memory/page-references.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { ptePfn } from '../../kernel/memory/pte.ts';
import { lockPte } from '../../kernel/memory/pte-lock.ts';
import { vmaLookup } from '../../kernel/memory/vma.ts';
import type { Task } from '../../task/task.ts';
import {
  assertHealthy,
  at,
  cpu,
  device,
  left,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

function frameAt({ world }: OpenedWorld, page = 0) {
  return ptePfn(readPte(world.mm.table, at(page)));
}

test('[OR4] a world at rest has nothing to account for, whatever it has been through', () => {
  const opened = openedWorld({ config: { swapSlots: 4 } });
  const { world } = opened;
  assert.deepEqual(left(opened), []);
  for (const page of [0, 1, 2, 3]) store(opened, 7n, page);
  load(opened, 4);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0, 2) });
  verb(opened, 1, { verb: 'exclusive', range: pages(2) });
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(3), 'PAGEOUT'));
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  const mapping = cpu(opened).mmap({ range: pages(8, 2), prot: 'rw', kind: 'anon-shared' });
  assert.ok(runAlone(world, 'cpu0', mapping).ok);
  store(opened, 7n, 8);
  assertHealthy(opened);
});

test('[OR4] pins that a thread holds on purpose are not left behind', () => {
  const opened = openedWorld();
  store(opened, 7n);
  for (const [id, mode] of [['longterm'], ['get']].entries()) {
    const task = cpu(opened).pin(id, pages(0), mode[0] as 'longterm' | 'get');
    assert.ok(runAlone(opened.world, 'cpu0', task).ok);
  }
  assert.deepEqual(left(opened), []);
  // As soon as nobody knows of them they are.
  opened.world.cpus.get('cpu0')?.pins.clear();
  assert.deepEqual(left(opened), [`frame 0x1 has ${2 + PIN_BIAS} references, 1 are accounted for`]);
});

test('[OR4] a fault that keeps the page which it did not need', () => {
  const leaks = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *doAnonymousPage(k, request) {
      allocPage(k);
      return yield* stock.doAnonymousPage(k, request);
    },
  });
  const opened = openedWorld({ overrides: leaks });
  store(opened, 7n);
  assert.deepEqual(left(opened), ['frame 0x1 has 1 references, 0 are accounted for']);
});

test('[OR4] a reference that is never dropped', () => {
  const keeps = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *getUserPages(k, mm, range, access, how) {
      const got = yield* stock.getUserPages(k, mm, range, access, how);
      if (got.ok) for (const pfn of got.value) getPage(k.frames, pfn, 1);
      return got;
    },
  });
  const opened = openedWorld({ overrides: keeps });
  const { world } = opened;
  assert.ok(runAlone(world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm')).ok);
  runAlone(world, 'cpu0', cpu(opened).unpin(1));
  assert.deepEqual(left(opened), ['frame 0x1 has 2 references, 1 are accounted for']);
});

test('[OR4] a migration that is never finalized: its page is locked, isolated and out of reach', () => {
  const opened = openedWorld();
  const { api } = device(opened, 0);
  store(opened, 7n);
  const request = { mm: 0, range: pages(0), select: 'system', faultPage: 'none' } as const;
  assert.ok(runAlone(opened.world, 'dev0', api.migrateVmaSetup(request)).ok);
  assert.deepEqual(left(opened), [
    '1 migrations are not finalized',
    'frame 0x1 is locked',
    'frame 0x1 is isolated',
    'mm 0 has a migration entry for frame 0x1',
    'frame 0x1 has 1 references, 0 are accounted for',
  ]);
});

test('[OR4] a bracket that is never closed', () => {
  const opened = openedWorld();
  const { kernel, mm } = opened.world;
  const request = {
    event: 'clear',
    range: pages(0),
    owner: 'none',
    blocking: 'blockable',
  } as const;
  const start = kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request);
  assert.ok(runAlone(opened.world, 'cpu0', start).ok);
  const seq = mm.subscriptions.invalidateSeq;
  assert.deepEqual(left(opened), [
    '1 brackets are open',
    `mm 0 is still invalidating (seq ${seq})`,
  ]);
});

test('[OR4] locks that their holder has forgotten', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  function* forget(): Task<void> {
    yield* device(opened, 0).api.mmapReadLock();
    const vma = vmaLookup(world.mm.vmas, at(0));
    assert.ok(vma !== 'none');
    yield* lockPte(world.kernel, 'test.ptl', world.mm, vma, at(0));
  }
  runAlone(world, 'dev0', forget());
  assert.deepEqual(left(opened), ['mmap_lock of mm 0 is held', 'a PTE lock of mm 0 is held']);
});

test('[OR4] a mapcount, a reference and a swap slot that do not agree with the entries', () => {
  const opened = openedWorld({ config: { swapSlots: 1 } });
  const { world } = opened;
  store(opened, 7n, 1);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(1), 'PAGEOUT'));
  const [slot] = world.kernel.swap.slots.values();
  assert.ok(slot !== undefined);
  slot.uses += 1;
  assert.deepEqual(left(opened), ['swap slot 0 has 2 uses, 1 entries']);
  slot.uses -= 1;
  store(opened, 8n, 0);
  const pfn = frameAt(opened);
  // The entry goes, the counts stay.
  const ptePage = [...world.mm.table.pages.values()][0];
  assert.ok(ptePage !== undefined && 'ptes' in ptePage);
  ptePage.ptes[at(0) % 512] = 0;
  const name = `frame 0x${pfn.toString(16)}`;
  assert.deepEqual(left(opened), [
    `${name} has mapcount 1, 0 entries map it`,
    `${name} has 1 references, 0 are accounted for`,
  ]);
});

test('[OR4] an anon_vma that counts a mapping which is not its own', () => {
  const opened = openedWorld({
    overrides: (stock) => ({
      *anonVmaPrepare(k, mm, vma) {
        yield* stock.anonVmaPrepare(k, mm, vma);
        if (vma.anonVma !== 'none') vma.anonVma.activeVmas += 1;
      },
    }),
  });
  store(opened, 7n);
  assert.match(left(opened).join(), /counts 2 mappings as its own, and 1 are/);
});
