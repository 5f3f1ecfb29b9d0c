/**
 * The actors of a counterexample as clients of a live lab, each with a connection of its own: devices with the drivers
 * that the counterexample names, and CPU threads. Their steps are taken one by one, when they are granted.
 */

import type { CpuApi } from '../../../server/abi/cpu-api.ts';
import type { OpContext } from '../../../server/scenario/compile-op.ts';
import { type Milestones, newMilestones } from '../../../server/scenario/milestones.ts';
import { LAB_OPS } from '../../../server/scenario/op-schema.ts';
import { rangeOfVma } from '../../../server/scenario/places.ts';
import type {
  PlannedDevice,
  PlannedThread,
  ScenarioPlan,
} from '../../../server/scenario/scenario-plan.ts';
import { retriesMaxOf, threadTask } from '../../../server/scenario/scenario-world.ts';
import type { TaskContext } from '../../../server/task/context.ts';
import type { Task } from '../../../server/task/task.ts';
import type { LabDevice } from '../../drivers/interface/driver-variant.ts';
import { connect } from '../../sdk/connect.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import { CpuClient } from '../../sdk/cpu-client.ts';
import type { DeviceClient } from '../../sdk/device-client.ts';
import { StepGate } from '../../sdk/step-gate.ts';
import { UsageError } from '../failure.ts';

export interface StageTarget {
  readonly url: string;
  readonly lab: string;
}

interface Player {
  readonly client: DeviceClient | CpuClient;
  readonly gate: StepGate;
  readonly context: TaskContext;
  readonly milestones: Milestones;
}

export interface RunningThread {
  state: 'runs' | 'ended';
  /** What its client threw, or 'nothing'. */
  error: unknown;
}

export class PlayStage {
  readonly #target: StageTarget;
  readonly #plan: ScenarioPlan;
  readonly #players = new Map<string, Player>();
  readonly #devices = new Map<string, LabDevice>();
  readonly registers = new Map<string, string>();
  /** Children whose fork has succeeded. */
  readonly #born = new Set<string>();
  /** What waits for the end of a child's fork, by its name. */
  readonly #unborn = new Map<string, ((outcome: 'born' | 'stillborn') => void)[]>();

  constructor(target: StageTarget, plan: ScenarioPlan) {
    this.#target = target;
    this.#plan = plan;
  }

  /** The gate of each client, by actor. */
  gates(): ReadonlyMap<string, StepGate> {
    return new Map([...this.#players].map(([actor, { gate }]) => [actor, gate]));
  }

  /** Everybody joins, in the order of the scenario, and the setup is done. Throws: UsageError. */
  async set(): Promise<void> {
    for (const [at, device] of this.#plan.devices.entries()) await this.#joinDevice(device, at);
    const cpus = this.#plan.instances.filter(({ kind }) => kind === 'cpu').map(({ name }) => name);
    const [mapper = 'cpu0'] = cpus;
    for (const vma of this.#plan.vmas) {
      const { prot, kind } = vma;
      const range = rangeOfVma(vma);
      await this.#finish(mapper, 'mmap', this.#cpuApi(mapper).mmap({ range, prot, kind }));
    }
    for (const { actor, name, run } of this.#plan.setup) {
      await this.#finish(actor, name, run(this.#surroundings(actor), actor));
    }
  }

  /** From here on no task takes a step that is not granted. */
  shut(): void {
    for (const { gate } of this.#players.values()) gate.shut();
  }

  /** A thread of a program begins: it runs up to the first step that has to be granted. */
  start(thread: PlannedThread): RunningThread {
    const running: RunningThread = { state: 'runs', error: 'nothing' };
    const { actor } = thread;
    // A child's thread must not join before its fork.
    if (this.#plan.children.has(actor) && !this.#born.has(actor)) {
      const begin = (outcome: 'born' | 'stillborn'): void => {
        if (outcome === 'born') this.#run(thread, running);
        else running.state = 'ended';
      };
      this.#unborn.set(actor, [...(this.#unborn.get(actor) ?? []), begin]);
    } else this.#run(thread, running);
    return running;
  }

  #run(thread: PlannedThread, running: RunningThread): void {
    const { actor, name } = thread;
    this.#player(actor)
      .client.run(
        name,
        threadTask(thread, this.#surroundings(actor), this.registers, {
          begins: () => undefined,
          forgets: () => undefined,
        }),
      )
      .then(
        () => {
          running.state = 'ended';
        },
        (error: unknown) => {
          running.state = 'ended';
          running.error = error;
        },
      );
  }

  /** Everybody leaves. */
  async close(): Promise<void> {
    for (const { client, gate } of this.#players.values()) {
      gate.open();
      client.close();
    }
    const players = [...this.#players.values()];
    await Promise.all(players.map(({ client }) => client.connection.left));
  }

  async #joinDevice(
    { name, driver, memoryPages, pgmapOwner }: PlannedDevice,
    deviceNumber: number,
  ) {
    const gate = new StepGate();
    const made: { device?: LabDevice; context?: TaskContext } = {};
    const client = await joined(
      connect({
        ...this.#target,
        role: 'device',
        name,
        gate,
        device: ({ api, context }) => {
          const device = driver.newDevice({
            api,
            context,
            deviceNumber,
            memoryPages,
            pgmapOwner,
            retriesMax: retriesMaxOf(this.#plan),
            *setPageDirtyLock() {
              throw new UsageError(`${name}: set_page_dirty_lock() is no call of the wire`);
            },
          });
          Object.assign(made, { device, context });
          return {
            driver: device.callbacks,
            open: () => device.open(),
            *perform() {
              return {};
            },
          };
        },
      }),
    );
    const { device, context } = made;
    if (device === undefined || context === undefined) throw new Error(`${name} was not made`);
    this.#devices.set(name, device);
    this.#players.set(name, {
      client,
      gate,
      context,
      milestones: newMilestones(context, this.#plan.milestones),
    });
    // Its open() runs before any verb: behind this it has its memory.
    await client.perform({ verb: 'open' });
  }

  #player(actor: string): Player {
    const known = this.#players.get(actor);
    if (known !== undefined) return known;
    // A child's thread joins when it is first used: it must not be there before its fork.
    const gate = new StepGate();
    const made: { context?: TaskContext } = {};
    const client = new CpuClient({
      ...this.#target,
      name: actor,
      gate,
      cpu: ({ context }) => {
        made.context = context;
        return function* () {
          return {};
        };
      },
    });
    const { context } = made;
    if (context === undefined) throw new Error(`${actor} was not made`);
    const milestones = newMilestones(context, this.#plan.milestones);
    if (this.#born.has(actor)) milestones.forkEnded(actor, 'born');
    const player = { client, gate, context, milestones };
    this.#players.set(actor, player);
    return player;
  }

  #cpuApi(actor: string): CpuApi {
    const { client } = this.#player(actor);
    if (client instanceof CpuClient) return client.api;
    throw new UsageError(`${actor} is a device, and the scenario uses it as a CPU`);
  }

  #surroundings(actor: string): OpContext {
    const { context } = this.#player(actor);
    const own = this.#player(actor).milestones;
    // The program that waits for it may be in any of the clients.
    const forAll = (notify: (milestones: Milestones) => void): void => {
      for (const { milestones } of this.#players.values()) notify(milestones);
    };
    return {
      get world(): never {
        throw new UsageError(
          `this scenario does what no client can ask for (${LAB_OPS.join(', ')})`,
        );
      },
      milestones: {
        object: (name) => own.object(name),
        reached: (name) => own.reached(name),
        birth: (name) => own.birth(name),
        leftAt: (object) => own.leftAt(object),
        opDone: (name, does) => forAll((all) => all.opDone(name, does)),
        threadEnded: (name) => forAll((all) => all.threadEnded(name)),
        forkEnded: (child, outcome) => {
          forAll((all) => all.forkEnded(child, outcome));
          if (outcome === 'born') this.#born.add(child);
          for (const begin of this.#unborn.get(child) ?? []) begin(outcome);
          this.#unborn.delete(child);
        },
      },
      cpu: (name) => this.#cpuApi(name),
      device: (name) => {
        const device = this.#devices.get(name);
        if (device === undefined || context === undefined) throw new Error(`no device ${name}`);
        return device;
      },
    };
  }

  async #finish<T>(actor: string, name: string, task: Task<T>): Promise<T> {
    const { client } = this.#player(actor);
    return await joined(client.run(name, task));
  }
}

/** A name that is taken, a lab that is full: for the user of the command. */
async function joined<T>(joining: Promise<T>): Promise<T> {
  try {
    return await joining;
  } catch (error) {
    if (error instanceof SessionClosed) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
