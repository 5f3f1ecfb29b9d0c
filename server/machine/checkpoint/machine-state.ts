/**
 * The state of a machine at rest as plain data, and a machine in that state again. No task is under way then, so all
 * that the machine is its objects say; functions know these objects and keep nothing themselves. Which fields there are
 * is written nowhere here: see object-graph.ts.
 */
import { MIRROR_NONE } from '../../abi/device-api.ts';
import type { KernelDevice } from '../../kernel/api/kernel-device-api.ts';
import { AddressSpace, newMm } from '../../kernel/memory/mm.ts';
import { NO_TASK } from '../../task/context.ts';
import { type Lock, newLock } from '../../task/lock.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import { OpenById } from '../open-by-id.ts';
import type { ActorName } from '../remote/inbound.ts';
import type { LiveMachine } from '../remote/live-machine.ts';
import { NO_CONTENTS } from '../remote/remote-actor.ts';
import {
  type BytesText,
  type Graph,
  GraphError,
  type GraphRules,
  type Known,
  type Maker,
  readGraph,
  writeGraph,
} from './object-graph.ts';

/** Grows when older readers could not make sense of what is written. */
export const MACHINE_STATE_VERSION = 1;

export interface MachineState {
  /** Who has to be there before the graph can be read. */
  readonly devices: readonly ActorName[];
  readonly cpus: readonly ActorName[];
  readonly graph: Graph;
}

/** Throws: GraphError if the machine is not at rest, or has something that is no data. */
export function machineState(machine: LiveMachine, bytes: BytesText): MachineState {
  if (!machine.atRest) throw new GraphError('the machine is not at rest');
  const { devices, cpus } = machine.clients;
  const graph = writeGraph(rootOf(machine), rulesOf(machine, bytes));
  return { devices: [...devices.keys()], cpus: [...cpus.keys()], graph };
}

/**
 * Gives a machine that has just begun, with the same config, the state of another.
 *
 * Throws: GraphError. The machine is then of no further use.
 */
export function takeMachineState(
  machine: LiveMachine,
  state: MachineState,
  bytes: BytesText,
): void {
  const { clients } = machine;
  for (const actor of state.devices) clients.devices.set(actor, machine.newDevice(actor));
  for (const actor of state.cpus) clients.cpus.set(actor, machine.newCpu(actor));
  readGraph(state.graph, rootOf(machine), rulesOf(machine, bytes));
}

function rootOf({ world, clients }: LiveMachine): object {
  return { world, clients, oracles: world.oracles.keeps() };
}

function rulesOf(machine: LiveMachine, bytes: BytesText): GraphRules {
  const { world, clients } = machine;
  const known = new Map<string, Known>();
  const same = (name: string, object: object) => known.set(name, { object, fields: 'as they are' });
  const filled = (name: string, object: object) => known.set(name, { object, fields: 'written' });
  same('kernel functions', world.kernel.fn);
  same('scheduler', world.scheduler);
  same('no task', NO_TASK);
  same('zeros', ZERO_CONTENTS);
  same('no entry', MIRROR_NONE);
  same('no contents', NO_CONTENTS);
  for (const [actor, device] of clients.devices) {
    filled(`device ${actor}`, device);
    const inKernel = kernelDevice(machine, actor);
    filled(`device ${actor} of the kernel`, inKernel);
    same(`driver of ${actor}`, inKernel.driver);
    const watched = world.contract === 'off' ? undefined : world.contract.devices.get(actor);
    if (watched !== undefined) filled(`device ${actor} of the contract`, watched);
  }
  for (const [actor, client] of clients.cpus) {
    filled(`CPU ${actor}`, client.cpu);
    filled(`thread ${actor}`, client.thread);
  }
  return { known, makers: makersFor(machine), bytes };
}

function kernelDevice({ world }: LiveMachine, owner: ActorName): KernelDevice {
  const found = world.devices.get(owner);
  if (found === undefined) throw new GraphError(`the kernel has no device ${owner}`);
  return found;
}

function makersFor({ world }: LiveMachine): Maker[] {
  const { context, kernel } = world;
  return [
    {
      name: 'mm',
      madeFrom: (object) => (object instanceof AddressSpace ? [object.id] : 'no'),
      make: ([id]) => newMm(id as number, kernel.ptrsPerPte, context),
    },
    {
      name: 'lock',
      madeFrom(object) {
        if (!Object.hasOwn(object, 'isFree')) return 'no';
        const lock = object as Lock;
        return [lock.class, lock.object];
      },
      make: ([lockClass, object]) => newLock(lockClass as Lock['class'], object as Lock['object']),
    },
    {
      name: 'open by id',
      madeFrom(object) {
        if (!(object instanceof OpenById)) return 'no';
        if (object.values().length > 0) throw new GraphError('a question is open');
        return [];
      },
      make: () => new OpenById(),
    },
  ];
}
