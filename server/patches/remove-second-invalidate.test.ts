/**
 * The race that mmrace began with, without holds: whatever the order, a device that mirrors the page must read what
 * the migrating device has written.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everySchedule, someSchedules } from '../kernel/every-schedule.fixture.ts';
import { moveToDevice, plainDevice } from '../kernel/plain-device.fixture.ts';
import { mirrorRead, plainMirror } from '../kernel/plain-mirror.fixture.ts';
import {
  assertHealthy,
  at,
  brokenRules,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  spawnVerb,
  verb,
} from '../machine/opened-world.fixture.ts';
import { pageOfU64 } from '../vocabulary/page-contents.ts';
import type { Patch } from './patch.ts';
import { removeSecondInvalidate } from './remove-second-invalidate.ts';

const WRITTEN = 0x2an;

interface Found {
  schedules: number;
  /** Schedules in which the mirroring device read a stale zero afterwards. */
  stale: number;
  readonly rules: Set<string>;
}

/** gpu0 migrates a page and writes it while gpu1 reads it; then gpu1 reads again. */
function race(page: 'hole' | 'zero page', patches: readonly Patch[]): Found {
  const found: Found = { schedules: 0, stale: 0, rules: new Set() };
  found.schedules = everySchedule(
    () => {
      const opened = openedWorld({ drivers: [], patches });
      const { world } = opened;
      if (page === 'zero page') load(opened);
      const a = plainDevice(world, 'gpu0');
      const b = plainMirror(world, 'gpu1');
      world.scheduler.spawn('gpu0', 'migrate', moveToDevice(a, pages(0)));
      world.scheduler.spawn('gpu1', 'read', mirrorRead(world, b, at(0)));
      return {
        scheduler: world.scheduler,
        check: (stuck) => {
          if (a.contents.has(a.first)) {
            a.contents.set(a.first, pageOfU64(WRITTEN));
            a.api.privateMemoryAccessed(at(0), a.first, 'write', pageOfU64(WRITTEN));
          }
          // The page may be home again, because gpu1 came last.
          const expected = a.contents.has(a.first) ? WRITTEN : 0n;
          const seen = runAlone(world, 'gpu1', mirrorRead(world, b, at(0)));
          if (seen !== expected) found.stale += 1;
          for (const rule of brokenRules(opened)) found.rules.add(rule);
          if (patches.length === 0) assertHealthy(opened, stuck);
          assert.equal(load(opened), expected, 'the CPU is never wrong');
        },
      };
    },
    { preemptionsMax: 2 },
  );
  return found;
}

for (const page of ['hole', 'zero page'] as const) {
  test(`[OR1] [OR3] ${page}: with the patch a second device reads zero for ever; without it never`, () => {
    const stock = race(page, []);
    assert.deepEqual([stock.stale, [...stock.rules]], [0, []]);
    assert.ok(stock.schedules > 100, `${stock.schedules}`);
    const patched = race(page, [removeSecondInvalidate]);
    assert.ok(patched.stale > 0);
    assert.deepEqual([...patched.rules].sort(), ['OR1', 'OR3']);
  });
}

/** The same with the reference driver, which is too large for every schedule: 150 of them. */
function dmirrorRace(patches: readonly Patch[]): { stale: number; accused: Set<string> } {
  const found = { stale: 0, accused: new Set<string>() };
  const build = () => {
    const opened: OpenedWorld = openedWorld({ patches });
    load(opened);
    spawnVerb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
    spawnVerb(opened, 1, { verb: 'read', range: pages(0) });
    return {
      scheduler: opened.world.scheduler,
      check: () => {
        verb(opened, 0, { verb: 'write', range: pages(0), values: [`0x${WRITTEN.toString(16)}`] });
        const { values } = verb(opened, 1, { verb: 'read', range: pages(0) });
        if (values?.[0] !== '0x2a') found.stale += 1;
        for (const { device } of opened.world.oracles.violations) found.accused.add(device);
        assert.equal(load(opened), WRITTEN);
      },
    };
  };
  someSchedules(build, 150, 1);
  return found;
}

test('with the reference driver as well: 150 random schedules', () => {
  const stock = dmirrorRace([]);
  assert.equal(stock.stale, 0);
  assert.ok(!stock.accused.has('dev1'));
  const patched = dmirrorRace([removeSecondInvalidate]);
  assert.ok(patched.stale > 0);
  assert.ok(patched.accused.has('dev1'));
});

test('the patch says where it comes from and replaces one function', () => {
  const { id, provenance, overrides } = removeSecondInvalidate;
  assert.equal(id, 'remove-second-invalidate');
  assert.match(provenance, /20200723223004\.9586-1-rcampbell@nvidia\.com/);
  const replaced = overrides(openedWorld({ drivers: [] }).world.kernel.fn);
  assert.deepEqual(Object.keys(replaced), ['migrateVmaPages']);
});
