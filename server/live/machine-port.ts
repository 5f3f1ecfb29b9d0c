/** What the live floor needs of a machine: a thing that takes inbound events and says what came of them. */

import type { Event } from '../abi/event.ts';
import type { MachineState } from '../machine/checkpoint/machine-state.ts';
import type { Reached } from '../machine/functions-called.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, ActorRole, Inbound, MachineSinks } from '../machine/remote/inbound.ts';
import type { TaskList } from '../machine/task-list.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import type { StepBudget } from '../scheduler/step-budget.ts';

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
  /** Absent: this kind of machine counts nothing. */
  readonly reached?: () => Reached;
  /** A short name for the whole state. */
  digest(): string;
  /**
   * Devices that hold what a blocked task waits for (mmap_lock, a page) while no request of theirs runs: only
   * they can go on, and nothing asks them to.
   */
  stallers(): readonly ActorName[];
  tasks(): TaskList;
  /** Whether it has a client or a thread of this name: also one that was forked and has no client yet. */
  knows(name: ActorName): boolean;
  /** Absent: no checkpoint can be made of it. */
  readonly resting?: RestingMachine;
  /** What happened after event `n`, if all of it is still known. */
  eventsAfter(n: number): readonly Event[] | 'too-old';
}

/** A machine that can be written down while no task is under way. */
export interface RestingMachine {
  readonly atRest: boolean;
  /** Throws: GraphError if it is not at rest. */
  state(): MachineState;
  /** Of a machine that has just begun: it is in that state now. Throws: GraphError; it is of no further use then. */
  takeState(state: MachineState): void;
  roles(): readonly (readonly [ActorName, ActorRole])[];
  /** Devices that others may have to wait for: they are asked something, or hold a lock or a page. */
  engaged(): readonly ActorName[];
  /** The number of the last event. */
  readonly events: number;
}

/** Throws: UnknownPatch, before anything is made. */
export type MachineFactory = (config: MachineConfig, sinks: MachineSinks) => Machine;
