/** The runs that the golden files were made of: the seed race in this process, where every order is forced. */
import {
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from '../../../clients/drivers/dmirror/dmirror.ts';
import type { Dmirror } from '../../../clients/drivers/dmirror/dmirror-state.ts';
import { type DmirrorVerb, performVerb } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import type { DeviceApi, DeviceDriver } from '../../abi/device-api.ts';
import type { Event } from '../../abi/event.ts';
import { cpuOf, deviceOf, newWorld, STEPS_MAX, type World } from '../../machine/world.ts';
import { removeSecondInvalidate } from '../../patches/remove-second-invalidate.ts';
import { serial, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { HOLD_OWNERS } from '../../task/object-owners.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import { addressOf, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import type { ReportMeta } from '../report-meta.ts';

export type GoldenKernel = 'stock' | 'patched';

export interface GoldenRun {
  readonly scenario: 'seed-zero-page' | 'two-migrators';
  readonly patch: string;
  readonly verdict: 'holds' | 'broken';
  /** What was seen, in one sentence. */
  readonly seen: string;
  readonly page: number;
  readonly events: readonly Event[];
  readonly violations: readonly Extract<Event, { kind: 'violation' }>[];
}

interface HeldDevice {
  readonly dmirror: Dmirror;
  readonly hold: { readonly object: ObjectId; state: 'none' | 'armed' | 'held' };
}

const PAGE = pageIndex(0x100200);
const RANGE = pagesFrom(PAGE, 1);
const MIGRATE: DmirrorVerb = { verb: 'migrate-to-dev', range: RANGE };
const READ: DmirrorVerb = { verb: 'read', range: RANGE };
const WRITE: DmirrorVerb = { verb: 'write', range: RANGE, values: ['0x2a'] };

export function runGolden(scenario: GoldenRun['scenario'], kernel: GoldenKernel): GoldenRun {
  const patches = kernel === 'stock' ? [] : [removeSecondInvalidate];
  const world = newWorld({ patches });
  const events: Event[] = [];
  world.log.listeners.push((event) => events.push(event));
  const devices = [openDevice(world, 0), openDevice(world, 1)] as const;
  const cpu = cpuOf(world, 'cpu0');
  const load = () => started(world, 'cpu0', 'load', cpu.load(addressOf(PAGE)));
  started(world, 'cpu0', 'mmap', cpu.mmap({ range: RANGE, prot: 'rw', kind: 'anon-private' }));
  const seen =
    scenario === 'two-migrators' ? bothMigrate(world, devices) : oneMigrates(world, devices, load);
  load();
  const violations = events.filter((event) => event.kind === 'violation');
  return {
    scenario,
    patch: patches[0]?.id ?? 'stock',
    verdict: violations.length > 0 ? 'broken' : 'holds',
    seen,
    page: PAGE,
    events,
    violations,
  };
}

type Devices = readonly [HeldDevice, HeldDevice];

/** dev1 reads while dev0 stands behind its setup, and again at the end. */
function oneMigrates(world: World, [dev0, dev1]: Devices, load: () => unknown): string {
  load();
  dev0.hold.state = 'armed';
  performed(world, dev0, MIGRATE);
  performed(world, dev1, READ);
  letGo(world, dev0);
  performed(world, dev0, WRITE);
  const [value] = performed(world, dev1, READ)().values ?? [];
  return value === '0x2a'
    ? 'dev1 reads 0x2a, as dev0 wrote'
    : `dev1 reads ${value} where dev0 wrote 0x2a`;
}

/** Both have collected the same hole before the first goes on. */
function bothMigrate(world: World, devices: Devices): string {
  const migrations = devices.map((device) => {
    device.hold.state = 'armed';
    return performed(world, device, MIGRATE);
  });
  for (const device of devices) letGo(world, device);
  performed(world, devices[0], WRITE);
  const [first, second] = migrations.map((migration) => migration().errno);
  return `dev0 got ${first}, dev1 got ${second}; the page of the loser was freed`;
}

function openDevice(world: World, deviceNumber: number): HeldDevice {
  const hold: HeldDevice['hold'] = {
    object: objectId('hold', HOLD_OWNERS.heldTasks, serial(world.context)),
    state: 'none',
  };
  const name = `dev${deviceNumber}`;
  const api = holding(
    deviceOf(world, name, () => driver),
    hold,
  );
  const dmirror = newDmirror({ api, context: world.context, deviceNumber });
  const driver: DeviceDriver = dmirrorDriver(dmirror);
  started(world, name, 'open', dmirrorOpen(dmirror));
  return { dmirror, hold };
}

/** `api` with a place to stand still after migrate_vma_setup(). */
function holding(api: DeviceApi, hold: HeldDevice['hold']): DeviceApi {
  return {
    ...api,
    *migrateVmaSetup(request) {
      const setup = yield* api.migrateVmaSetup(request);
      if (hold.state === 'armed') {
        hold.state = 'held';
        yield waitUntil('hold.go', hold.object, () => hold.state !== 'held');
      }
      return setup;
    },
  };
}

function letGo(world: World, { hold }: HeldDevice): void {
  hold.state = 'none';
  wake(world.context, hold.object);
  world.scheduler.runFirstCome(STEPS_MAX);
}

function performed(world: World, { dmirror }: HeldDevice, verb: DmirrorVerb) {
  return started(world, dmirror.api.owner, verb.verb, performVerb(dmirror, verb));
}

/** Starts a task and runs whatever can run. Returns what to ask for its result, once it has one. */
function started<T>(world: World, actor: string, name: string, task: Task<T>): () => T {
  const running = world.scheduler.spawn(actor, name, task);
  world.scheduler.runFirstCome(STEPS_MAX);
  return () => running.result as T;
}
/** As a search of this one execution would say it. */
export function metaOf(verdict: GoldenRun): ReportMeta {
  const broken = verdict.verdict === 'broken';
  const positive = broken ? 1 : 0;
  return {
    name: verdict.scenario,
    kernel: '6.1',
    patch: verdict.patch,
    verdict: verdict.verdict,
    seen: verdict.seen,
    bound: '1 forced execution',
    reproduce: 'npx mmrace demo --once',
    litmus: {
      name: verdict.scenario,
      form: 'exhaustive',
      complete: true,
      states: [{ text: `dev1:r0=${broken ? '0x0' : '0x2a'};`, count: 1, meets: broken }],
      quantifier: 'exists',
      condition: 'dev1:r0=0x0',
      positive,
      negative: 1 - positive,
      seconds: 'not measured',
      hash: '0123456789abcdef0123456789abcdef',
    },
    properties: [
      {
        name: 'values',
        outcome: broken ? 'fail' : 'pass',
        reason: broken ? verdict.seen : '',
      },
      { name: 'progress', outcome: 'pass', reason: '' },
    ],
    waits: [],
  };
}
