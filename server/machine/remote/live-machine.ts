/**
 * A world whose devices and CPU threads run in clients. It takes inbound events one by one and runs until nothing
 * can go on; everything it does is a function of the config and those events.
 */

import { FIRST_KERNEL, isKernelId, KERNEL_IDS, type KernelId } from '../../abi/kernel-ids.ts';
import {
  abandonMigration,
  cutOffDevice,
  reconnectDevice,
  surrenderMemory,
} from '../../kernel/api/device-teardown.ts';
import { removeCpu } from '../../kernel/api/kernel-cpu-api.ts';
import type { Cpu } from '../../kernel/kernel.ts';
import { entriesOf } from '../../kernel/memory/page-table.ts';
import { viewPte } from '../../kernel/memory/pte.ts';
import { createFile } from '../../kernel/syscalls/create-file.ts';
import { STOCK_NAME } from '../../patches/joint-name.ts';
import type { Patch } from '../../patches/patch.ts';
import { patchesIn } from '../../patches/patch-set.ts';
import { PATCHES } from '../../patches/patches.ts';
import type { LabSnapshot } from '../../protocol/lab-snapshot.ts';
import { LAB_FRAMES_MAX } from '../../protocol/limits.ts';
import { countPairs, PointPairs } from '../../scheduler/point-pairs.ts';
import { type StepBudget, WITHOUT_END } from '../../scheduler/step-budget.ts';
import { objectName } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import { assertNever, invariant } from '../../vocabulary/invariant.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { notingCalls, type Reached } from '../functions-called.ts';
import type { MachineConfig } from '../machine-config.ts';
import { forgetDevice, invalidationRefused } from '../oracles/contract/watched-device.ts';
import { type TaskList, taskList } from '../task-list.ts';
import {
  callsOf,
  deviceOf,
  disconnectDevice,
  newWorld,
  STEPS_MAX,
  threadOf,
  type World,
} from '../world.ts';
import type {
  ActorName,
  ActorRole,
  FromClient,
  FromPresenter,
  Inbound,
  MachineSinks,
  Outbound,
} from './inbound.ts';
import { type LabUse, labUse } from './lab-use.ts';
import { acceptForCpu, newRemoteCpu, type RemoteCpu } from './remote-cpu.ts';
import { holdsUpOthers, newRemoteDevice, type RemoteDevice } from './remote-device.ts';
import { acceptForDevice, type Started } from './remote-device-inbound.ts';
import { remoteDriver } from './remote-driver.ts';

/** What an unknown patch id comes to. */
export class UnknownPatch extends Error {
  readonly patch: string;

  constructor(patch: string, known: Iterable<string>) {
    super(`no patch ${patch}; there are: ${[STOCK_NAME, ...known].join(', ')}`);
    this.name = 'UnknownPatch';
    this.patch = patch;
  }
}

/** What an unknown kernel comes to. */
export class UnknownKernel extends Error {
  constructor(kernel: string) {
    super(`no kernel ${kernel}; there are: ${KERNEL_IDS.join(', ')}`);
    this.name = 'UnknownKernel';
  }
}

/** What a machine keeps of its clients. */
export interface MachineClients {
  readonly devices: Map<ActorName, RemoteDevice>;
  readonly cpus: Map<ActorName, { readonly cpu: RemoteCpu; readonly thread: Cpu }>;
  /** Of the actors whose clients are here. */
  readonly roles: Map<ActorName, ActorRole>;
  /** 'stepped': no task runs but by a 'step'. */
  mode: 'running' | 'stepped';
}

export class LiveMachine {
  readonly world: World;
  readonly clients: MachineClients = {
    devices: new Map(),
    cpus: new Map(),
    roles: new Map(),
    mode: 'running',
  };
  readonly #send: (outbound: Outbound) => void;
  readonly #use: LabUse;
  readonly #called = new Set<string>();
  readonly #points = new PointPairs();
  /** Of STEPS_MAX for the last event; 0 when all is done that it led to. */
  #stepsLeft = 0;

  /** `patches`: by id, those that `config` may name. Throws: UnknownPatch, UnknownKernel. */
  constructor(
    config: MachineConfig,
    sinks: MachineSinks,
    patches: ReadonlyMap<string, Patch> = PATCHES,
  ) {
    const { swapSlots = 0, thp = 'never', ptrsPerPte } = config;
    const { systemPages = LAB_FRAMES_MAX } = config;
    this.world = newWorld({
      logLocks: true,
      contract: 'watched',
      version: kernelNamed(config.kernel ?? FIRST_KERNEL),
      patches: [...patchesNamed(config.patch, patches), notingCalls(this.#called)],
      config: {
        swapSlots,
        thp,
        systemPages,
        ...(ptrsPerPte === undefined ? {} : { ptrsPerPte }),
      },
    });
    this.#points.listen(this.world.scheduler);
    this.#send = sinks.outbound;
    this.#use = labUse(() => this.world);
    for (const { id, words } of config.files ?? []) {
      createFile(
        this.world.kernel,
        id,
        words.map((word) => pageOfU64(BigInt(word))),
      );
    }
    this.world.log.listeners.push(sinks.event);
  }

  /** What has run since this machine was made; what a checkpoint stands for does not count. */
  reached(): Reached {
    const pairs = this.#points.found();
    return { functions: [...this.#called].sort(), pairs, counts: countPairs(pairs) };
  }

  /**
   * Takes one event and runs every task until none can go on; between 'pause' and 'resume' none. Stops where `budget`
   * is used up: what happens in all is the same, however often that is.
   *
   * Throws: KernelBug, and whatever a patch throws. The machine is then of no further use.
   */
  accept(inbound: Inbound, budget: StepBudget = { ...WITHOUT_END }): void {
    invariant(!this.busy, 'SC2', { inbound: inbound.kind });
    if ('actor' in inbound) this.#take(inbound);
    else this.#obey(inbound);
    this.#stepsLeft = STEPS_MAX;
    this.goOn(budget);
  }

  /** The budget was used up before all was done that the last event led to: only goOn() may be called. */
  get busy(): boolean {
    return this.#stepsLeft > 0;
  }

  /** No task is under way, and no device is half gone: what the machine is, its objects say alone. */
  get atRest(): boolean {
    const { scheduler, kernel } = this.world;
    if (this.busy || scheduler.queuedTasks().length > 0) return false;
    if (scheduler.blockedTasks().length > 0) return false;
    return kernel.pgmaps.every(({ leftOver }) => leftOver === 'none');
  }

  /** Goes on where accept() has stopped. Throws: as accept(). */
  goOn(budget: StepBudget): void {
    const { scheduler } = this.world;
    if (this.clients.mode === 'stepped') {
      scheduler.runFirstCome(0);
      // Tasks that cannot go on are parked now: looking at the tasks must not change who comes next.
      scheduler.readyTasks();
      this.#stepsLeft = 0;
      return;
    }
    const before = scheduler.steps;
    const ran = scheduler.runFirstCome(this.#stepsLeft, budget);
    const taken = scheduler.steps - before;
    this.#stepsLeft = ran === 'idle' ? 0 : this.#stepsLeft - taken;
  }

  /**
   * Takes a frame and runs nothing but notifications: the caller drives the scheduler. For an explorer, which lets
   * others go between any two steps.
   */
  begin(inbound: FromClient): void {
    const { world } = this;
    const started = this.#start(inbound);
    if (started === 'nothing') return;
    if (inbound.kind !== 'notify') {
      world.scheduler.spawn(inbound.actor, started.name, started.task);
      return;
    }
    const { context } = world;
    const before = context.current;
    context.current = { ...before, actor: inbound.actor, name: inbound.method };
    const taken = started.task.next();
    context.current = before;
    invariant(taken.done === true, 'SC2', { method: inbound.method });
  }

  #take(inbound: FromClient): void {
    const started = this.#start(inbound);
    if (started === 'nothing') return;
    const { scheduler } = this.world;
    const task = scheduler.spawn(inbound.actor, started.name, started.task);
    // What a client tells has happened already, and before whatever it says next.
    if (this.clients.mode === 'stepped' && inbound.kind === 'notify') scheduler.step(task);
  }

  #obey(inbound: FromPresenter): void {
    const { scheduler } = this.world;
    switch (inbound.kind) {
      case 'pause':
        this.clients.mode = 'stepped';
        return;
      case 'resume':
        this.clients.mode = 'running';
        return;
      case 'step': {
        if (this.clients.mode === 'running') return;
        if (inbound.task === 'next') {
          scheduler.runFirstCome(1);
          return;
        }
        const chosen = scheduler.readyTasks().find(({ identity }) => identity.id === inbound.task);
        if (chosen !== undefined) scheduler.step(chosen);
        return;
      }
      default:
        assertNever(inbound);
    }
  }

  #start(inbound: FromClient): Started | 'nothing' {
    const { actor } = inbound;
    if (inbound.kind === 'attach') this.clients.roles.set(actor, inbound.role);
    const role = this.clients.roles.get(actor);
    if (role === undefined) return 'nothing';
    const { context } = this.world;
    const before = context.current;
    // Outside any task: what happens at once happens in the actor's name.
    context.current = { ...before, actor, name: inbound.kind };
    if (inbound.kind === 'attach') this.world.emit({ kind: 'attach', role });
    else if (inbound.kind === 'detach') {
      this.clients.roles.delete(actor);
      this.world.emit({ kind: 'detach' });
    }
    const started = role === 'device' ? this.#startForDevice(inbound) : this.#startForCpu(inbound);
    context.current = before;
    return started;
  }

  #startForDevice(inbound: FromClient): Started | 'nothing' {
    const { actor } = inbound;
    const device = this.clients.devices.get(actor);
    if (device === undefined) {
      if (inbound.kind === 'attach') this.clients.devices.set(actor, this.newDevice(actor));
      return 'nothing';
    }
    const started = acceptForDevice(device, inbound);
    if (inbound.kind !== 'detach' || started === 'nothing') return started;
    return { name: started.name, task: this.#forgetDevice(device, started.task) };
  }

  /** As an `attach` makes it, unheard by anybody. */
  newDevice(actor: ActorName): RemoteDevice {
    const { world } = this;
    const { kernel } = world;
    // By identity: pages that it leaves behind are never another's, even of one that has its name by then.
    const driver = remoteDriver(() => device);
    const device: RemoteDevice = newRemoteDevice({
      actor,
      context: world.context,
      send: this.#send,
      lab: this.#use,
      api: deviceOf(world, actor, () => driver, 'far'),
      teardown: {
        cutOff: (why) => {
          cutOffDevice(kernel, actor);
          if (world.contract !== 'off') forgetDevice(world.contract, actor);
          if (why === 'fenced') world.emit({ kind: 'fenced', device: actor });
        },
        refused: (sub) => {
          if (world.contract !== 'off') invalidationRefused(world.contract, actor, sub);
        },
        reconnect: () => reconnectDevice(kernel, actor),
        abandonMigration: (migrate) => abandonMigration(kernel, migrate),
        surrenderMemory: () => surrenderMemory(kernel, actor),
      },
    });
    reconnectDevice(kernel, actor);
    return device;
  }

  *#forgetDevice(device: RemoteDevice, task: Task<void>): Task<void> {
    yield* task;
    // A client may have come under its name while its things were given back: then they are that client's.
    if (this.clients.roles.get(device.actor) === 'device') return;
    this.clients.devices.delete(device.actor);
    disconnectDevice(this.world, device.actor);
  }

  #startForCpu(inbound: FromClient): Started | 'nothing' {
    const { actor } = inbound;
    const known = this.clients.cpus.get(actor);
    if (known === undefined) {
      if (inbound.kind === 'attach') this.clients.cpus.set(actor, this.newCpu(actor));
      return 'nothing';
    }
    const { cpu, thread } = known;
    const started = acceptForCpu(cpu, inbound);
    if (inbound.kind !== 'detach' || started === 'nothing') return started;
    // The name is free from now on, for a client that comes at once and for a thread that is forked at once.
    this.clients.cpus.delete(actor);
    const { cpus } = this.world;
    if (cpus.get(actor) === thread) cpus.delete(actor);
    return { name: started.name, task: forgetThread(thread, started.task) };
  }

  /** As newDevice(). */
  newCpu(actor: ActorName): { readonly cpu: RemoteCpu; readonly thread: Cpu } {
    const { world } = this;
    const thread = threadOf(world, actor);
    const api = callsOf(world, thread);
    const process = thread.mm === world.mm ? 'first' : 'child';
    return {
      cpu: newRemoteCpu({
        actor,
        context: world.context,
        send: this.#send,
        api,
        process,
        lab: this.#use,
      }),
      thread,
    };
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

  /** Whether a client or a thread has this name. */
  knows(name: ActorName): boolean {
    return this.clients.roles.has(name) || this.world.cpus.has(name);
  }

  /** The tasks that have not ended. */
  tasks(): TaskList {
    return taskList(this.world, this.clients.devices.values());
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
    return [...this.clients.devices.values()]
      .filter((device) => holdsUpOthers(device))
      .map((device) => device.actor);
  }
}

function* forgetThread(thread: Cpu, task: Task<void>): Task<void> {
  yield* task;
  removeCpu(thread);
}

/** Throws: UnknownKernel. */
function kernelNamed(name: string): KernelId {
  if (isKernelId(name)) return name;
  throw new UnknownKernel(name);
}

/** Of a joint name: see patch-set.ts. Throws: UnknownPatch. */
function patchesNamed(joint: string, known: ReadonlyMap<string, Patch>): readonly Patch[] {
  const patches = patchesIn(joint, known);
  if ('unknown' in patches) throw new UnknownPatch(patches.unknown, known.keys());
  return patches;
}
