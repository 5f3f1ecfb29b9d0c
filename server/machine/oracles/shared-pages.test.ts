/** Oracle 3 of shared memory: one register, whichever process or address reaches it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { setContents } from '../../kernel/memory/frames.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { ptePfn } from '../../kernel/memory/pte.ts';
import { OK } from '../../vocabulary/errno.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  brokenRules,
  cpu,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

const SHARED = 8;

function withShared(overrides?: (stock: KernelFunctions) => Partial<KernelFunctions>): OpenedWorld {
  const opened = openedWorld(overrides === undefined ? {} : { overrides });
  const mapping = cpu(opened).mmap({ range: pages(SHARED, 1), prot: 'rw', kind: 'anon-shared' });
  assert.deepEqual(runAlone(opened.world, 'cpu0', mapping), OK);
  return opened;
}

/** The parent writes, the child reads, and the other way round. */
function throughAFork(opened: OpenedWorld): OpenedWorld {
  store(opened, 7n, SHARED);
  assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
  load(opened, SHARED, 'child');
  store(opened, 9n, SHARED, 'child');
  load(opened, SHARED);
  return opened;
}

test('[OR3] what one process writes to a shared page the other reads, and DONTNEED changes nothing', () => {
  const opened = throughAFork(withShared());
  const { world } = opened;
  assert.equal(load(opened, SHARED), 9n);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(SHARED), 'DONTNEED'));
  assert.equal(load(opened, SHARED), 9n);
  verb(opened, 0, { verb: 'write', range: pages(SHARED), values: ['0xb'] });
  assert.equal(load(opened, SHARED, 'child'), 11n);
  assertHealthy(opened);
});

test('[OR3] a fault that maps another page than the one that is shared', () => {
  const opened = withShared((stock) => ({
    *doFault(k, request) {
      const fault = request.mm.id === 0 ? stock.doFault : stock.doAnonymousPage;
      return yield* fault(k, request);
    },
  }));
  assert.ok(brokenRules(throughAFork(opened)).includes('OR3'));
});

test('[OR3] a shared page that loses what was written is found at rest', () => {
  const opened = withShared();
  store(opened, 7n, SHARED);
  const { kernel, oracles } = opened.world;
  const table = kernel.mms.get(0)?.table;
  assert.ok(table !== undefined);
  setContents(kernel.frames, ptePfn(readPte(table, pages(SHARED).first)), ZERO_CONTENTS);
  const [found] = oracles.atRest('OR3', { pins: [], freeFrames: new Map() });
  assert.match(found ?? '', /^page 0 of file \d+ holds 0x0, where 0x7 was written last$/);
});
