/**
 * The world of the seed race in this process: the kernel's own functions, and dmirror beside them. The same script
 * runs over sockets in clients/cli/live-seed-world.ts.
 */
import { dmirrorDriver, dmirrorOpen, newDmirror } from '../../../clients/drivers/dmirror.ts';
import type { Dmirror } from '../../../clients/drivers/dmirror-state.ts';
import { type DmirrorVerb, performVerb } from '../../../clients/drivers/dmirror-verb.ts';
import type { CpuApi, MappingKind, Prot } from '../../abi/cpu-api.ts';
import type { DeviceApi, DeviceDriver } from '../../abi/device-api.ts';
import type { Event } from '../../abi/event.ts';
import { cpuOf, deviceOf, newWorld, STEPS_MAX, type World } from '../../machine/world.ts';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES, STOCK_NAME } from '../../patches/patches.ts';
import { serial, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { HOLD_OWNERS } from '../../task/object-owners.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import { pageOf, pagesFrom, virtualAddress } from '../../vocabulary/address.ts';
import type { NewSeedWorld, SeedActor, SeedResult, SeedVerb, SeedWorld } from './seed-race.ts';

/** The one kernel call after which a device can be held here. */
const HELD_AFTER = 'migrate_vma_setup';

interface Hold {
  readonly object: ObjectId;
  state: 'none' | 'armed' | 'held';
}

interface SeedDevice {
  readonly dmirror: Dmirror;
  readonly hold: Hold;
}

/** A world whose devices are open and whose process has no mappings yet. */
export const newDirectWorld: NewSeedWorld = async (patch) => {
  const world = newWorld({ patches: patchesNamed(patch) });
  const events: Event[] = [];
  world.log.listeners.push((event) => events.push(event));
  const devices = new Map<SeedActor, SeedDevice>();
  for (const [at, name] of (['dev0', 'dev1'] as const).entries()) {
    devices.set(name, await openDevice(world, name, at));
  }
  return new DirectWorld(world, devices, events);
};

class DirectWorld implements SeedWorld {
  readonly #world: World;
  readonly #devices: ReadonlyMap<SeedActor, SeedDevice>;
  readonly #events: readonly Event[];
  readonly #cpu: CpuApi;

  constructor(world: World, devices: ReadonlyMap<SeedActor, SeedDevice>, events: readonly Event[]) {
    this.#world = world;
    this.#devices = devices;
    this.#events = events;
    this.#cpu = cpuOf(world, 'cpu0');
  }

  perform(actor: SeedActor, verb: SeedVerb): Promise<SeedResult> {
    const device = this.#devices.get(actor);
    const task =
      device === undefined ? performCpu(this.#cpu, verb) : performDevice(device.dmirror, verb);
    return runToPromise(this.#world, actor, verb.verb, task);
  }

  async hold(actor: SeedActor, after: string): Promise<void> {
    if (after !== HELD_AFTER) throw new Error(`nobody can be held after ${after} here`);
    this.#holdOf(actor).state = 'armed';
  }

  async untilHeld(actor: SeedActor): Promise<void> {
    // Everything that can happen has happened before perform() returned.
    if (this.#holdOf(actor).state !== 'held') return new Promise(() => undefined);
  }

  async go(actor: SeedActor): Promise<void> {
    const hold = this.#holdOf(actor);
    hold.state = 'none';
    wake(this.#world.context, hold.object);
    this.#world.scheduler.runFirstCome(STEPS_MAX);
  }

  events(): readonly Event[] {
    return this.#events;
  }

  async end(): Promise<void> {
    // A world in this process holds nothing but memory.
  }

  #holdOf(actor: SeedActor): Hold {
    const device = this.#devices.get(actor);
    if (device === undefined) throw new Error(`${actor} cannot be held`);
    return device.hold;
  }
}

async function openDevice(world: World, name: string, deviceNumber: number): Promise<SeedDevice> {
  const hold: Hold = {
    object: objectId('hold', HOLD_OWNERS.heldTasks, serial(world.context)),
    state: 'none',
  };
  // The kernel calls a driver that is made after the api that it is made of.
  const made: { driver: DeviceDriver | 'not-yet' } = { driver: 'not-yet' };
  const kernelApi = deviceOf(world, name, () => {
    if (made.driver === 'not-yet') throw new Error(`${name} is called before it is made`);
    return made.driver;
  });
  const api = holding(kernelApi, hold);
  const dmirror = newDmirror({ api, context: world.context, deviceNumber });
  made.driver = dmirrorDriver(dmirror);
  const opened = await runToPromise(world, name, 'open', dmirrorOpen(dmirror));
  if (!opened.ok) throw new Error(`${name} could not be opened: ${opened.errno}`);
  return { dmirror, hold };
}

/** `api` with a place to stand still after migrate_vma_setup(). */
function holding(api: DeviceApi, hold: Hold): DeviceApi {
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

/** Starts a task and runs whatever can run. The promise stays open while the task is held. */
function runToPromise<T>(world: World, actor: string, name: string, task: Task<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    function* reporting(): Task<void> {
      resolve(yield* task);
    }
    try {
      world.scheduler.spawn(actor, name, reporting());
      world.scheduler.runFirstCome(STEPS_MAX);
    } catch (error) {
      reject(error);
    }
  });
}

function* performDevice(dmirror: Dmirror, verb: SeedVerb): Task<SeedResult> {
  return { ...(yield* performVerb(dmirror, verb as unknown as DmirrorVerb)) };
}

/** The two verbs that the scripts ask of the CPU, with the parameters of the wire. */
function* performCpu(cpu: CpuApi, verb: SeedVerb): Task<SeedResult> {
  const address = virtualAddress(Number(verb.address));
  if (verb.verb === 'load') {
    const loaded = yield* cpu.load(address);
    return loaded.kind === 'done'
      ? { value: `0x${loaded.value.toString(16)}` }
      : { signal: loaded.signal };
  }
  if (verb.verb !== 'mmap') throw new Error(`the CPU has no verb ${verb.verb} here`);
  const mapped = yield* cpu.mmap({
    range: pagesFrom(pageOf(address), Number(verb.pages)),
    prot: verb.prot as Prot,
    kind: verb.kind as MappingKind,
  });
  return { errno: mapped.ok ? 'OK' : mapped.errno };
}

/** Throws a RangeError for a name that no patch has. */
function patchesNamed(name: string): readonly Patch[] {
  if (name === STOCK_NAME) return [];
  const patch = PATCHES.get(name);
  if (patch === undefined) throw new RangeError(`there is no patch ${name}`);
  return [patch];
}
