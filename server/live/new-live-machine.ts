import { BASE64 } from '../journal/checkpoint.ts';
import { machineState, takeMachineState } from '../machine/checkpoint/machine-state.ts';
import { eventsAfter } from '../machine/event-log.ts';
import { LiveMachine } from '../machine/remote/live-machine.ts';
import { holdsUpOthers } from '../machine/remote/remote-device.ts';
import { stateDigest } from '../machine/state-digest.ts';
import type { Machine, MachineFactory, RestingMachine } from './machine-port.ts';

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
    reached: () => machine.reached(),
    digest: () => stateDigest(machine.world),
    stallers: () => machine.stallers(),
    tasks: () => machine.tasks(),
    knows: (name) => machine.knows(name),
    resting: restingMachine(machine),
    eventsAfter: (n) => eventsAfter(machine.world.log, n),
  };
}

function restingMachine(machine: LiveMachine): RestingMachine {
  const { clients, world } = machine;
  return {
    get atRest() {
      return machine.atRest;
    },
    state: () => machineState(machine, BASE64),
    takeState: (state) => takeMachineState(machine, state, BASE64),
    roles: () => [...clients.roles],
    engaged: () =>
      [...clients.devices.values()]
        .filter((device) => {
          if (device.questions.values().length > 0 || device.faults.length > 0) return true;
          return holdsUpOthers(device);
        })
        .map(({ actor }) => actor),
    get events() {
      return world.log.n;
    },
  };
}
