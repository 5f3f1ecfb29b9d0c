import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIGRATE_PFN_MIGRATE, migrateFlags } from '../../../server/abi/migrate-pfn.ts';
import { cpuOf, deviceOf, newWorld, runTask, type World } from '../../../server/machine/world.ts';
import { lock, unlock } from '../../../server/task/lock.ts';
import type { Task } from '../../../server/task/task.ts';
import {
  addressOf,
  nextPage,
  type PageIndex,
  pageIndex,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { seq } from '../../../server/vocabulary/seq.ts';
import {
  DMIRROR_FUNCTIONS,
  dmirrorClose,
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from './dmirror.ts';
import type { Dmirror, DmirrorFunctions } from './dmirror-state.ts';
import { type DmirrorResult, type DmirrorVerb, performVerb } from './dmirror-verb.ts';

const BASE = pageIndex(0x100200);

interface Lab {
  readonly world: World;
  readonly device: Dmirror;
  run<T>(task: Task<T>, actor?: string): T;
  verb(verb: DmirrorVerb, device?: Dmirror): DmirrorResult;
  poke(page: PageIndex, value: bigint): void;
  peek(page: PageIndex): bigint;
}

interface LabOptions {
  readonly memoryPages?: number;
  readonly devicePages?: number;
  readonly retriesMax?: number;
  readonly fn?: DmirrorFunctions;
}

/** A process with `pages` writable anonymous pages from BASE, and one device. */
function newLab(pages: number, options: LabOptions = {}): Lab {
  const { devicePages } = options;
  const world = newWorld(devicePages === undefined ? {} : { config: { devicePages } });
  const run = <T>(task: Task<T>, actor = 'cpu0'): T => {
    const ran = runTask(world, actor, 'test', task);
    if (ran.kind === 'done') return ran.value;
    return assert.fail(`stuck: ${ran.waiting.join('; ')}`);
  };
  const device = attach(world, 'gpu0', options);
  const cpu = cpuOf(world, 'cpu0');
  const lab: Lab = {
    world,
    device,
    run,
    verb: (verb, asked = device) => run(performVerb(asked, verb), asked.api.owner),
    poke(page, value) {
      assert.equal(run(cpu.store(addressOf(page), value)).kind, 'done');
    },
    peek(page) {
      const loaded = run(cpu.load(addressOf(page)));
      return loaded.kind === 'done' ? loaded.value : assert.fail(loaded.signal);
    },
  };
  const mapped = run(cpu.mmap({ range: pagesFrom(BASE, pages), prot: 'rw', kind: 'anon-private' }));
  assert.ok(mapped.ok);
  return lab;
}

function attach(world: World, owner: string, options: LabOptions = {}): Dmirror {
  const api = deviceOf(world, owner, () => driver);
  const { memoryPages = 16, retriesMax = 5, fn = DMIRROR_FUNCTIONS } = options;
  const deviceNumber = owner === 'gpu0' ? 0 : 1;
  const device = newDmirror(
    { api, context: world.context, deviceNumber, memoryPages, retriesMax },
    fn,
  );
  const driver = dmirrorDriver(device);
  const opened = runTask(world, owner, 'open', dmirrorOpen(device));
  assert.ok(opened.kind === 'done' && opened.value.ok);
  return device;
}

function pagesAt(first: number, count: number) {
  return pagesFrom(pageIndex(BASE + first), count);
}

test('a read faults once for the whole rest, and not again until it is invalidated', () => {
  const lab = newLab(4);
  lab.poke(nextPage(BASE), 7n);
  const read = { verb: 'read', range: pagesAt(0, 4) } as const;
  const values = ['0x0', '0x7', '0x0', '0x0'];
  assert.deepEqual(lab.verb(read), { errno: 'OK', values, cpages: 4, faults: 1 });
  assert.deepEqual(lab.verb(read), { errno: 'OK', values, cpages: 4, faults: 0 });
});

test('an invalidation also drops the page behind its range', () => {
  const lab = newLab(3);
  for (let page = 0; page < 3; page += 1) lab.poke(pageIndex(BASE + page), BigInt(page));
  lab.verb({ verb: 'read', range: pagesAt(0, 3) });
  const unmapped = lab.run(cpuOf(lab.world, 'cpu0').munmap(pagesAt(0, 1)));
  assert.ok(unmapped.ok);
  assert.deepEqual([...lab.device.pageTable.entries.keys()], [BASE + 2]);
});

test('an invalidation that may not wait answers `again` while the driver lock is held', () => {
  const lab = newLab(1);
  const { device, run } = lab;
  const sub = device.sub;
  assert.ok(sub !== 'closed');
  const invalidate = (event: 'clear' | 'migrate') =>
    dmirrorDriver(device).invalidate(
      sub,
      { mm: 0, range: pagesAt(0, 1), event, owner: 'gpu0', blocking: 'non-blockable' },
      seq(99),
    );
  const before = sub.invalidateSeq;
  const held = run(lock(lab.world.context, 'test.lock', device.lock));
  assert.equal(run(invalidate('clear')), 'again');
  assert.equal(sub.invalidateSeq, before);
  assert.equal(run(invalidate('migrate')), 'done');
  unlock(lab.world.context, held);
  assert.equal(run(invalidate('migrate')), 'done');
  assert.equal(sub.invalidateSeq, before);
  assert.equal(run(invalidate('clear')), 'done');
  assert.equal(sub.invalidateSeq, 99);
});

test('ranges longer than a batch are faulted, copied, migrated and evicted in parts', () => {
  const lab = newLab(150, { memoryPages: 200 });
  const range = pagesAt(0, 150);
  const values = Array.from({ length: 150 }, (_, page) => `0x${(page + 1).toString(16)}`);
  assert.deepEqual(lab.verb({ verb: 'write', range, values }), {
    errno: 'OK',
    cpages: 150,
    faults: 1,
  });
  assert.deepEqual(lab.verb({ verb: 'migrate-to-dev', range }), {
    errno: 'OK',
    values,
    cpages: 150,
  });
  const prot = new Array(150).fill('dev-private-local+write');
  assert.deepEqual(lab.verb({ verb: 'snapshot', range }), { errno: 'OK', prot });
  assert.deepEqual(lab.verb({ verb: 'release' }), { errno: 'OK' });
  assert.equal(lab.device.memory.frames.size, 0);
  assert.equal(lab.peek(pageIndex(BASE + 149)), 150n);
  assert.deepEqual(lab.verb({ verb: 'read', range }), {
    errno: 'OK',
    values,
    cpages: 150,
    faults: 1,
  });
  const made = lab.verb({ verb: 'exclusive', range });
  assert.equal(made.cpages, 150);
  assert.deepEqual(lab.world.oracles.violations, []);
});

test('private memory grows by a chunk when it is used up, and a page stays where none is left', () => {
  const lab = newLab(5, { memoryPages: 2, devicePages: 4 });
  const range = pagesAt(0, 5);
  assert.deepEqual(lab.verb({ verb: 'migrate-to-dev', range }), { errno: 'ENOENT' });
  assert.equal(lab.device.memory.chunks.length, 2);
  const local = 'dev-private-local+write';
  assert.deepEqual(lab.verb({ verb: 'snapshot', range }).prot, [
    local,
    local,
    local,
    local,
    'none',
  ]);
});

test('memory of every chunk can be evicted, and released memory is not used again', () => {
  const lab = newLab(3, { memoryPages: 2 });
  const range = pagesAt(0, 3);
  lab.poke(BASE, 1n);
  assert.equal(lab.verb({ verb: 'migrate-to-dev', range }).errno, 'OK');
  assert.deepEqual(lab.verb({ verb: 'release' }), { errno: 'OK' });
  assert.equal(lab.peek(BASE), 1n);
  const old = lab.device.memory.chunks.slice();
  assert.deepEqual(
    old.map((chunk) => chunk.state),
    ['removed', 'removed'],
  );
  assert.equal(lab.verb({ verb: 'migrate-to-dev', range }).errno, 'OK');
  const frames = [...lab.device.memory.frames.keys()];
  assert.ok(frames.every((frame) => old.every((chunk) => frame >= chunk.first + chunk.count)));
});

test('a CPU fault brings back the one page it needs, with what the device wrote', () => {
  const lab = newLab(2);
  lab.verb({ verb: 'migrate-to-dev', range: pagesAt(0, 2) });
  lab.verb({ verb: 'write', range: pagesAt(0, 2), values: ['0x5', '0x6'] });
  assert.equal(lab.peek(nextPage(BASE)), 6n);
  assert.deepEqual(lab.verb({ verb: 'snapshot', range: pagesAt(0, 2) }).prot, [
    'dev-private-local+write',
    'write',
  ]);
  assert.deepEqual(lab.verb({ verb: 'migrate-to-sys', range: pagesAt(0, 2) }), {
    errno: 'OK',
    cpages: 1,
  });
  assert.equal(lab.device.memory.frames.size, 0);
});

test('an exclusive mark serves reads, not writes, until a CPU touches the page', () => {
  const lab = newLab(1);
  const range = pagesAt(0, 1);
  lab.verb({ verb: 'exclusive', range });
  assert.deepEqual(lab.verb({ verb: 'check-exclusive', range }), { errno: 'EPERM' });
  assert.equal(lab.verb({ verb: 'read', range }).faults, 0);
  lab.poke(BASE, 3n);
  assert.deepEqual(lab.verb({ verb: 'check-exclusive', range }), { errno: 'OK' });
  lab.verb({ verb: 'exclusive', range });
  assert.deepEqual(lab.verb({ verb: 'write', range, values: ['0x9'] }), {
    errno: 'OK',
    cpages: 1,
    faults: 1,
  });
  assert.equal(lab.peek(BASE), 9n);
});

test('a fault that collides again and again gives up with EBUSY', () => {
  let collisions = 0;
  const lab = newLab(1, {
    fn: {
      ...DMIRROR_FUNCTIONS,
      *installFaulted() {
        collisions += 1;
        return { ok: true, value: 'collided' };
      },
    },
  });
  assert.deepEqual(lab.verb({ verb: 'read', range: pagesAt(0, 1) }), { errno: 'EBUSY' });
  assert.equal(collisions, 5);
});

test('a device that loses its entries as fast as it gets them gives up with EBUSY', () => {
  let installs = 0;
  const lab = newLab(1, {
    fn: {
      ...DMIRROR_FUNCTIONS,
      *installFaulted() {
        installs += 1;
        return { ok: true, value: 'installed' };
      },
    },
  });
  assert.deepEqual(lab.verb({ verb: 'read', range: pagesAt(0, 1) }), { errno: 'EBUSY' });
  assert.equal(installs, 5);
});

/** Two devices migrate the same hole; gpu0, which runs `fn`, loses. Returns the oracles' complaints. */
function raceForHole(fn: DmirrorFunctions) {
  const lab = newLab(1, { fn });
  const other = attach(lab.world, 'gpu1');
  const { scheduler, log, oracles } = lab.world;
  const range = pagesAt(0, 1);
  const migrate = (device: Dmirror) =>
    scheduler.spawn(
      device.api.owner,
      'migrate',
      performVerb(device, { verb: 'migrate-to-dev', range }),
    );
  // 1. gpu0 has found the hole and is about to insert its page.
  let about = false;
  log.listeners.push((event) => {
    about ||= event.kind === 'call' && event.function === 'migrate_vma_pages';
  });
  const loser = migrate(lab.device);
  while (!about) {
    const [next] = scheduler.readyTasks();
    assert.ok(next !== undefined);
    scheduler.step(next);
  }
  // 2. gpu1 goes through the whole sequence and wins. 3. gpu0 goes on and finds the entry taken.
  const winner = migrate(other);
  scheduler.run(
    (ready) =>
      Math.max(
        ready.findIndex((task) => task !== loser),
        0,
      ),
    10_000,
  );
  assert.deepEqual([winner.state, loser.state], ['done', 'done']);
  assert.deepEqual(winner.result, { errno: 'OK', values: ['0x0'], cpages: 1 });
  return oracles.violations;
}

test('[OR1] the loser of a race for a hole maps nothing; a variant that does is caught', () => {
  assert.deepEqual(raceForHole(DMIRROR_FUNCTIONS), []);
  const violations = raceForHole({
    ...DMIRROR_FUNCTIONS,
    *mapMigrated(dmirror, { range, src, dst }) {
      const won = src.map(() => migrateFlags(MIGRATE_PFN_MIGRATE));
      yield* DMIRROR_FUNCTIONS.mapMigrated(dmirror, { range, src: won, dst });
    },
  });
  assert.ok(violations.some(({ device, rule }) => device === 'gpu0' && rule === 'OR1'));
});

test('after close nothing is mapped and nothing is invalidated any more', () => {
  const lab = newLab(2);
  lab.poke(BASE, 1n);
  lab.verb({ verb: 'read', range: pagesAt(0, 2) });
  lab.run(dmirrorClose(lab.device), 'gpu0');
  assert.equal(lab.device.pageTable.entries.size, 0);
  assert.deepEqual(lab.verb({ verb: 'read', range: pagesAt(0, 1) }), { errno: 'EINVAL' });
  assert.ok(lab.run(cpuOf(lab.world, 'cpu0').munmap(pagesAt(0, 2))).ok);
});

test('once the mirrored process is gone every verb that needs it is refused', () => {
  const lab = newLab(1);
  lab.verb({ verb: 'read', range: pagesAt(0, 1) });
  lab.run(dmirrorDriver(lab.device).release());
  assert.equal(lab.device.pageTable.entries.size, 0);
  for (const verb of [
    'read',
    'migrate-to-dev',
    'migrate-to-sys',
    'snapshot',
    'exclusive',
  ] as const) {
    assert.deepEqual(lab.verb({ verb, range: pagesAt(0, 1) }), { errno: 'EINVAL' }, verb);
  }
});
