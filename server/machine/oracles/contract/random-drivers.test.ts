/**
 * Random programs of threads and dmirror devices under random schedules: of the corrected driver the contract never
 * complains, of each faulty one it does.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../../../clients/drivers/catalogue/drivers.ts';
import type { DmirrorVerb } from '../../../../clients/drivers/dmirror/dmirror-verb.ts';
import type { LabDevice } from '../../../../clients/drivers/interface/driver-variant.ts';
import { type Chance, newChance, oneSchedule } from '../../../kernel/every-schedule.fixture.ts';
import { setPageDirtyLock } from '../../../kernel/memory/set-page-dirty-lock.ts';
import type { Task } from '../../../task/task.ts';
import { addressOf } from '../../../vocabulary/address.ts';
import { CONTRACT_ORACLE } from '../../../vocabulary/rules.ts';
import {
  at,
  cpu,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
} from '../../opened-world.fixture.ts';
import { deviceOf } from '../../world.ts';

const HOT_PAGES = 2;
const VERBS = 3;
const DEVICE_VERBS = [
  'read',
  'fault-read',
  'fault-write',
  'migrate',
  'migrate-to-sys',
  'exclusive',
  'snapshot',
] as const;

/** What the contract found in one random world with two devices of driver `id`. */
function breachesIn(seed: number, id: string): string[] {
  const chance = newChance(seed);
  const opened = openedWorld({ drivers: [], contract: 'watched' });
  const { world } = opened;
  for (const [number, name] of ['dev0', 'dev1'].entries()) {
    const device = newDevice(opened, number, name, id);
    runAlone(world, name, device.open());
    for (const thread of ['a', 'b']) world.scheduler.spawn(name, thread, verbs(device, chance));
  }
  world.scheduler.spawn('cpu0', 'program', calls(opened, chance));
  oneSchedule({ scheduler: world.scheduler, check: () => undefined }, chance);
  return world.oracles.violations.flatMap(({ oracle, rule, text }) =>
    oracle === CONTRACT_ORACLE ? [`[${rule}] ${text}`] : [],
  );
}

function newDevice(opened: OpenedWorld, deviceNumber: number, name: string, id: string): LabDevice {
  const { world } = opened;
  const variant = DRIVERS.get(id);
  assert.ok(variant !== undefined);
  const api = deviceOf(world, name, () => device.callbacks);
  const device: LabDevice = variant.newDevice({
    api,
    context: world.context,
    deviceNumber,
    memoryPages: 4,
    retriesMax: 8,
    setPageDirtyLock: (pfn) => setPageDirtyLock(world.kernel, pfn),
  });
  return device;
}

function* verbs(device: LabDevice, chance: Chance): Task<void> {
  for (let call = 0; call < VERBS; call += 1) {
    const verb = DEVICE_VERBS[chance(DEVICE_VERBS.length)] ?? 'read';
    yield* device.perform({ verb, range: pages(chance(HOT_PAGES)) } as DmirrorVerb);
  }
}

function* calls(opened: OpenedWorld, chance: Chance): Task<void> {
  const own = cpu(opened);
  for (let call = 0; call < VERBS; call += 1) {
    const page = chance(HOT_PAGES);
    const kind = chance(4);
    if (kind === 0) yield* own.madvise(pages(page), 'DONTNEED');
    else if (kind === 1) yield* own.load(addressOf(at(page)));
    else yield* own.store(addressOf(at(page)), 7n);
  }
}

for (const id of ['corrected', 'amdkfd', 'amdkfd-no-retry', 'i915-userptr', 'mlx5-odp', 'xe']) {
  test(`[OR6] in 300 random worlds no rule is broken by the driver ${id}`, () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      assert.deepEqual(breachesIn(seed, id), [], `world ${seed}`);
    }
  });
}

/** The rules that must be among those that are found. */
const FAULTY = {
  dmirror: 'CR35',
  'skip-retry': 'CR1',
  'retry-outside-lock': 'CR1',
  'drop-lock-before-map': 'CR1',
  'map-losers': 'CR28',
  'map-on-fault': 'CR22',
  nouveau: 'CR28',
} as const;

for (const [id, rule] of Object.entries(FAULTY)) {
  test(`[${rule}] of the driver ${id} is heard in random worlds`, () => {
    const heard = new Set<string>();
    for (let seed = 1; seed <= 200 && !heard.has(rule); seed += 1) {
      for (const text of breachesIn(seed, id)) heard.add(text.slice(1, text.indexOf(']')));
    }
    assert.ok(heard.has(rule), [...heard].join());
  });
}
