/** What excuses a device: its own migration, for the pages that it moves, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MmuNotifyEvent } from '../../abi/device-api.ts';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { ptePfn } from '../../kernel/memory/pte.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { OK, ok } from '../../vocabulary/errno.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  at,
  brokenRules,
  cpu,
  device,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

/** Brackets of this kind, of the first process, are not opened. */
function untold(event: MmuNotifyEvent) {
  const unopened = -1;
  return (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *mmuNotifierInvalidateRangeStart(k, mm, request) {
      if (request.event !== event || mm.id !== 0) {
        return yield* stock.mmuNotifierInvalidateRangeStart(k, mm, request);
      }
      return ok({ id: unopened, by: k.context.current, mm, range: request.range, hit: [] });
    },
    *mmuNotifierInvalidateRangeEnd(k, invalidation) {
      if (invalidation.id === unopened) return;
      yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
    },
  });
}

function migrated(opened: OpenedWorld): void {
  store(opened, 7n);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
}

test("[OR1] that a child's page goes home does not excuse what the device maps for the parent", () => {
  const script = (opened: OpenedWorld) => {
    migrated(opened);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
    verb(opened, 0, { verb: 'read', range: pages(0) });
    assert.equal(load(opened, 0, 'child'), 7n);
  };
  const stock = openedWorld();
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld({ overrides: untold('clear') });
  script(opened);
  assert.deepEqual(brokenRules(opened), ['OR1']);
});

test('[OR1] an eviction by frame numbers tells the device as any other does', () => {
  const script = (opened: OpenedWorld) => {
    migrated(opened);
    verb(opened, 0, { verb: 'release' });
  };
  const stock = openedWorld();
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld({ overrides: untold('clear') });
  script(opened);
  assert.ok(brokenRules(opened).includes('OR1'), brokenRules(opened).join());
});

test('[OR1] DMA to a frame that is free is no copying, though some migration is open', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  store(opened, 8n, 1);
  const freed = ptePfn(readPte(world.mm.table, at(1)));
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(1), 'DONTNEED'));
  const { api } = device(opened, 0);
  runAlone(world, 'dev0', api.mmapReadLock());
  const request = { mm: 0, range: pages(0), select: 'system', faultPage: 'none' } as const;
  const setup = runAlone(world, 'dev0', api.migrateVmaSetup(request));
  assert.ok(setup.ok);
  const target = { page: at(1), pfn: freed };
  for (const number of [0, 1]) {
    const wrote = device(opened, number).api.dmaWrite([target], [ZERO_CONTENTS]);
    assert.deepEqual(runAlone(world, `dev${number}`, wrote), OK);
  }
  const { violations } = world.oracles;
  assert.deepEqual(
    violations.map(({ rule, device: owner }) => `${rule} ${owner}`),
    ['OR1 dev0', 'OR1 dev1'],
  );
  const copied = api.dmaRead([{ page: at(0), pfn: 1 as never }]);
  assert.ok(runAlone(world, 'dev0', copied).ok);
  assert.equal(violations.length, 2);
});

test('[OR1] a bracket excuses a device until it has carried it out, and no longer', () => {
  const opened = openedWorld({
    overrides: (stock) => ({
      *mmuNotifierInvalidateRangeEnd(k, invalidation) {
        if (invalidation.hit.length > 0 && late.pfn !== 0) {
          yield* device(opened, 1).api.dmaWrite([{ page: at(0), pfn: late.pfn }], [ZERO_CONTENTS]);
        }
        yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
      },
    }),
  });
  const late = { pfn: 0 as Pfn };
  const { world } = opened;
  store(opened, 7n);
  verb(opened, 1, { verb: 'read', range: pages(0) });
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  late.pfn = ptePfn(readPte(world.mm.table, at(0)));
  store(opened, 8n);
  const told = world.oracles.violations.map(({ rule, text }) => `${rule} ${text}`);
  assert.match(String(told[0]), /^OR1 dev1 wrote 0x100200000 through frame 0x1 /);
});
