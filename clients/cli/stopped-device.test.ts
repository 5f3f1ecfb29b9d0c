/** A device process that is stopped in the middle of a migration, as by a debugger: SIGSTOP over real sockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leftBehind } from '../../server/machine/oracles/left-behind.ts';
import { pinsOf } from '../../server/machine/world.ts';
import { pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { LiveLab, SEED_CLIENTS } from './live-lab.ts';
import { type LocalServer, startLocalServer } from './local-server.ts';

/** Short: how long it takes decides nothing, nobody else is asked anything meanwhile. */
const LEASE_MS = 300;
const REGION = { address: '0x100200000', pages: 1 };
const RANGE = pageRange(pageIndex(0x100200), pageIndex(0x100201));
const VALUE = '0x2a';

let server: LocalServer;
let live: LiveLab;
/** What dev0 was asked before it was stopped, and answers when it goes on. */
let stopped: readonly Promise<unknown>[];

before(async () => {
  server = await startLocalServer({ port: 0, leaseMs: LEASE_MS, logLevel: 'silent' });
  live = new LiveLab(server.openLab('stopped', { patch: 'stock' }));
  await live.start(server, SEED_CLIENTS);
});

after(async () => {
  await live.end();
  await server.close();
});

/** dev0 migrates the page that holds VALUE, and its process is stopped when it returns from `after`. */
async function stoppedAfter(after: string): Promise<void> {
  await live.renew({ patch: 'stock' });
  await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
  await live.perform('cpu0', { verb: 'store', address: REGION.address, value: VALUE });
  await live.hold('dev0', after);
  const migrated = live.lab.perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
  await live.untilHeld('dev0', after);
  live.signal('dev0', 'SIGSTOP');
  // From here on nobody but itself keeps it from going on.
  stopped = [migrated, live.lab.go('dev0')];
}

/** It goes on, hears that it was fenced, and comes back. */
async function goesOn(): Promise<void> {
  live.signal('dev0', 'SIGCONT');
  await Promise.all(stopped);
  await live.until(
    () => live.lab.actors.get('dev0')?.fenced === false,
    () => 'dev0 did not come back',
  );
}

function fenced(): string[] {
  const { kept } = live.machine.world.log;
  return kept.filter(({ kind }) => kind === 'fenced').map(({ actor }) => actor);
}

function assertHealthy(): void {
  const { kernel, oracles, mm } = live.machine.world;
  assert.deepEqual(oracles.violations, []);
  assert.deepEqual(leftBehind(kernel, pinsOf(live.machine.world)), []);
  assert.equal(mm.mmapLock.readers.length, 0);
}

for (const phase of ['migrate_vma_setup', 'migrate_vma_pages']) {
  test(`a device that is stopped after ${phase} loses; the page is what it was, for all others`, async () => {
    await stoppedAfter(phase);
    assert.deepEqual(fenced(), []);
    // Needs the mmap_lock that dev0 holds.
    const protect = { verb: 'mprotect', ...REGION, prot: 'r' };
    assert.deepEqual(await live.perform('cpu0', protect), { errno: 'OK' });
    assert.deepEqual(fenced(), ['dev0']);
    const read = { errno: 'OK', values: [VALUE], cpages: 1, faults: 1 };
    assert.deepEqual(await live.perform('dev1', { verb: 'read', range: RANGE }), read);
    assertHealthy();
    await goesOn();
    assert.deepEqual((await live.perform('dev0', { verb: 'read', range: RANGE })).values, [VALUE]);
    assertHealthy();
  });
}

test('a device that is stopped after migrate_vma_finalize keeps the page, and gives it when it is back', async () => {
  await stoppedAfter('migrate_vma_finalize');
  const protect = { verb: 'mprotect', ...REGION, prot: 'r' };
  assert.deepEqual(await live.perform('cpu0', protect), { errno: 'OK' });
  assert.deepEqual(fenced(), ['dev0']);
  const load = { verb: 'load', address: REGION.address };
  assert.deepEqual(await live.perform('cpu0', load), { signal: 'SIGBUS' });
  await goesOn();
  let loaded = await live.perform('cpu0', load);
  // On a busy machine dev0 may be late once more, and come back once more.
  while ('signal' in loaded) loaded = await live.perform('cpu0', load);
  assert.deepEqual(loaded, { value: VALUE });
  assertHealthy();
});
