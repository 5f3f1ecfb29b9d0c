/** What the live floor needs of a machine: a thing that takes inbound events and says what came of them. */

import type { Event } from '../abi/event.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { StepBudget } from '../machine/step-budget.ts';
import type { TaskList } from '../machine/task-list.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';

/** Called while accept() or goOn() runs. They must not call the machine. */
export interface MachineSinks {
  readonly outbound: (outbound: Outbound) => void;
  readonly event: (event: Event) => void;
}

/** The state of a machine as observers see it; the lab adds its own name and who is away. */
export type MachineView = Pick<LabSnapshot, 'ptes' | 'mirrors' | 'vmas'>;

export interface Machine {
  /**
   * Takes one event and runs every task until none can go on; between 'pause' and 'resume' none. Stops where `budget`
   * is used up, and is `busy` then: it takes no other event before goOn() has done the rest. Without a budget
   * it does all.
   *
   * Throws: KernelBug. The machine is then of no further use.
   */
  accept(inbound: Inbound, budget?: StepBudget): void;
  /** Throws: as accept(). */
  goOn(budget: StepBudget): void;
  readonly busy: boolean;
  view(): MachineView;
  /** A short name for the whole state. */
  digest(): string;
  /**
   * Devices that hold what a blocked task waits for (mmap_lock, a page) while no request of theirs runs: only
   * they can go on, and nothing asks them to.
   */
  stallers(): readonly ActorName[];
  tasks(): TaskList;
  /** What happened after event `n`, if all of it is still known. */
  eventsAfter(n: number): readonly Event[] | 'too-old';
}

/** Throws: UnknownPatch, before anything is made. */
export type MachineFactory = (config: MachineConfig, sinks: MachineSinks) => Machine;
