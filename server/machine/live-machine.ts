/**
 * A world whose devices and CPU threads run in clients. It takes inbound events one by one and runs until nothing
 * can go on; everything it does is a function of the config and those events.
 */

import {
  abandonMigration,
  cutOffDevice,
  reconnectDevice,
  surrenderMemory,
} from '../kernel/api/bury-device.ts';
import { removeCpu } from '../kernel/api/kernel-cpu-api.ts';
import { entriesOf } from '../kernel/memory/page-table.ts';
import { viewPte } from '../kernel/memory/pte.ts';
import { createFile } from '../kernel/syscalls/create-file.ts';
import type { Patch } from '../patches/patch.ts';
import { PATCHES, STOCK_NAME } from '../patches/patches.ts';
import type { Event } from '../protocol/event.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import { objectName } from '../task/object-id.ts';
import type { Task } from '../task/task.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { pageOfU64 } from '../vocabulary/page-contents.ts';
import type { ActorName, Inbound, Outbound } from './inbound.ts';
import type { MachineConfig } from './machine-config.ts';
import { acceptForCpu, newRemoteCpu, type RemoteCpu } from './remote-cpu.ts';
import { holdsUpOthers, newRemoteDevice, type RemoteDevice } from './remote-device.ts';
import { acceptForDevice, type Started } from './remote-device-inbound.ts';
import { remoteDriver } from './remote-driver.ts';
import { cpuOf, deviceOf, newWorld, STEPS_MAX, type World } from './world.ts';

export interface LiveMachineSinks {
  readonly outbound: (outbound: Outbound) => void;
  readonly event: (event: Event) => void;
}

/** What an unknown patch id comes to. */
export class UnknownPatch extends Error {
  readonly patch: string;

  constructor(patch: string) {
    super(`no patch ${patch}; there are: ${[STOCK_NAME, ...PATCHES.keys()].join(', ')}`);
    this.name = 'UnknownPatch';
    this.patch = patch;
  }
}

export class LiveMachine {
  readonly world: World;
  readonly #send: (outbound: Outbound) => void;
  readonly #devices = new Map<ActorName, RemoteDevice>();
  readonly #cpus = new Map<ActorName, RemoteCpu>();

  /** Throws: UnknownPatch. */
  constructor(config: MachineConfig, sinks: LiveMachineSinks) {
    const { swapSlots = 0, thp = 'never', systemPages } = config;
    this.world = newWorld({
      patches: patchesNamed(config.patch),
      config: { swapSlots, thp, ...(systemPages === undefined ? {} : { systemPages }) },
    });
    this.#send = sinks.outbound;
    for (const { id, words } of config.files ?? []) {
      createFile(
        this.world.kernel,
        id,
        words.map((word) => pageOfU64(BigInt(word))),
      );
    }
    this.world.log.listeners.push(sinks.event);
  }

  /**
   * Takes one event and runs every task until none can go on.
   *
   * Throws: KernelBug, and whatever a patch throws. The machine is then of no further use.
   */
  accept(inbound: Inbound): void {
    const started = this.#start(inbound);
    if (started !== 'nothing') {
      this.world.scheduler.spawn(inbound.actor, started.name, started.task);
    }
    this.world.scheduler.runFirstCome(STEPS_MAX);
  }

  #start(inbound: Inbound): Started | 'nothing' {
    const { actor } = inbound;
    const device = this.#devices.get(actor);
    if (device !== undefined) {
      const started = acceptForDevice(device, inbound);
      if (inbound.kind === 'attach') this.#note(actor, { kind: 'attach', role: 'device' });
      return inbound.kind === 'detach' && started !== 'nothing'
        ? { name: started.name, task: this.#forgetDevice(device, started.task) }
        : started;
    }
    const cpu = this.#cpus.get(actor);
    if (cpu !== undefined) {
      const started = acceptForCpu(cpu, inbound);
      return inbound.kind === 'detach' && started !== 'nothing'
        ? { name: started.name, task: this.#forgetCpu(cpu, started.task) }
        : started;
    }
    if (inbound.kind === 'attach') this.#attach(actor, inbound.role);
    return 'nothing';
  }

  #attach(actor: ActorName, role: 'device' | 'cpu'): void {
    const { world } = this;
    const parts = { actor, context: world.context, send: this.#send };
    this.#note(actor, { kind: 'attach', role });
    if (role === 'cpu') {
      this.#cpus.set(actor, newRemoteCpu({ ...parts, api: cpuOf(world, actor) }));
      return;
    }
    const { kernel } = world;
    const driver = remoteDriver(() => this.#deviceNamed(actor));
    const device = newRemoteDevice({
      ...parts,
      api: deviceOf(world, actor, () => driver),
      undertaker: {
        cutOff: () => cutOffDevice(kernel, actor),
        reconnect: () => reconnectDevice(kernel, actor),
        abandonMigration: (migrate) => abandonMigration(kernel, migrate),
        surrenderMemory: () => surrenderMemory(kernel, actor),
      },
    });
    reconnectDevice(kernel, actor);
    this.#devices.set(actor, device);
  }

  #deviceNamed(actor: ActorName): RemoteDevice {
    const device = this.#devices.get(actor);
    invariant(device !== undefined, 'DR1', { actor });
    return device;
  }

  *#forgetDevice(device: RemoteDevice, task: Task<void>): Task<void> {
    yield* task;
    this.world.emit({ kind: 'detach' });
    // It may have come again under its name while its things were given back.
    if (device.state === 'fenced') this.#devices.delete(device.actor);
  }

  *#forgetCpu(cpu: RemoteCpu, task: Task<void>): Task<void> {
    yield* task;
    this.world.emit({ kind: 'detach' });
    const thread = this.world.cpus.get(cpu.actor);
    if (thread !== undefined) removeCpu(thread);
    this.world.cpus.delete(cpu.actor);
    this.#cpus.delete(cpu.actor);
  }

  /** An event outside any task, in the actor's name. */
  #note(actor: ActorName, body: Parameters<World['emit']>[0]): void {
    const { context } = this.world;
    const before = context.current;
    context.current = { ...before, actor, name: body.kind };
    this.world.emit(body);
    context.current = before;
  }

  /** The state as an observer sees it who begins to watch. */
  view(): Pick<LabSnapshot, 'ptes' | 'mirrors' | 'vmas'> {
    const { kernel, oracles } = this.world;
    const ptes: LabSnapshot['ptes'] = [];
    const vmas: LabSnapshot['vmas'] = [];
    for (const mm of kernel.mms.values()) {
      for (const vma of mm.vmas) {
        vmas.push({ mm: mm.id, first: vma.first, end: vma.end, prot: vma.prot });
      }
      for (const [page, pte] of entriesOf(mm.table)) {
        ptes.push({ mm: mm.id, page, entry: viewPte(pte) });
      }
    }
    const mirrors = [...oracles.mirrors.byDevice].flatMap(([device, table]) =>
      [...table].map(([page, entry]) => ({ device, page, entry })),
    );
    return { ptes, mirrors, vmas };
  }

  /**
   * Devices that hold what a blocked task waits for (mmap_lock, a page), their own requests' tasks included: a device
   * that waits for its own locks can only be helped from outside.
   */
  stallers(): readonly ActorName[] {
    const waitedFor = this.world.scheduler.blockedTasks().some((task) => {
      if (task.pending.kind !== 'block') return false;
      const { kind } = objectName(task.pending.on);
      return kind === 'mmap_lock' || kind === 'page_lock';
    });
    if (!waitedFor) return [];
    return [...this.#devices.values()]
      .filter((device) => holdsUpOthers(device))
      .map((device) => device.actor);
  }
}

/** 'stock', or one patch. Throws: UnknownPatch. */
function patchesNamed(name: string): Patch[] {
  if (name === STOCK_NAME) return [];
  const patch = PATCHES.get(name);
  if (patch === undefined) throw new UnknownPatch(name);
  return [patch];
}
