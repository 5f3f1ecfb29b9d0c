import { eventsAfter } from '../machine/event-log.ts';
import { LiveMachine } from '../machine/remote/live-machine.ts';
import { stateDigest } from '../machine/state-digest.ts';
import type { Machine, MachineFactory } from './machine-port.ts';

/** The kernel with the patch of `config`, and clients around it. Throws: UnknownPatch. */
export const newLiveMachine: MachineFactory = (config, sinks) =>
  asMachine(new LiveMachine(config, sinks));

/** What the live floor sees of a machine. */
export function asMachine(machine: LiveMachine): Machine {
  return {
    accept: (inbound, budget) => machine.accept(inbound, budget),
    goOn: (budget) => machine.goOn(budget),
    get busy() {
      return machine.busy;
    },
    view: () => machine.view(),
    digest: () => stateDigest(machine.world),
    stallers: () => machine.stallers(),
    tasks: () => machine.tasks(),
    eventsAfter: (n) => eventsAfter(machine.world.log, n),
  };
}
