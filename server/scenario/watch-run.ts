/** What may not happen while a scenario runs. The first such thing ends the execution. */

import type { Event } from '../abi/event.ts';
import type { Failure, Violation } from '../explorer/failure.ts';
import type { World } from '../machine/world.ts';
import { touch } from '../task/context.ts';
import { objectId } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';
import type { PageIndex } from '../vocabulary/address.ts';
import type { FairFaults } from './fair-faults.ts';
import { type RoundStep, watchRounds } from './repeated-rounds.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

export interface RunWatch {
  /** A thread of `actor` has come to the end of its program. */
  readonly threadEnded: (actor: string) => void;
  readonly failure: () => Failure | 'none';
  /** The round that repeats without end, if that is the failure. */
  readonly round: () => readonly RoundStep[] | 'none';
  /** What repeats in it: steps, or turns of a loop that takes none. */
  readonly roundOf: () => 'steps' | 'between steps';
  /** A task goes round in a loop that lets no other run. */
  readonly endless: (at: RoundStep) => void;
  /** The first one counts. */
  readonly fail: (failure: Failure) => void;
}

/** Which threads have not ended, for an explorer. */
export const THREADS_LEFT = objectId('hold', HOLD_OWNERS.threadsLeft, 0);

export function watchRun(plan: ScenarioPlan, world: World, fair: FairFaults): RunWatch {
  const { oracles } = plan;
  /** Threads that have not ended, by actor. */
  const left = new Map<string, number>();
  for (const { actor } of plan.threads) left.set(actor, (left.get(actor) ?? 0) + 1);
  let failed: Failure | 'none' = 'none';
  const fail = (failure: Failure): void => {
    if (failed === 'none') failed = failure;
  };
  const see = (event: Event): void => {
    switch (event.kind) {
      case 'violation':
        if (isAsked(plan, event)) fail(violationOf(event));
        return;
      case 'fault':
        if (oracles.has('OR5')) checkProgress(event);
        return;
      default:
    }
  };
  // Livelock: each task that is not done only faults, each over and over, and not because the others stand still.
  const checkProgress = (event: Extract<Event, { kind: 'fault' }>): void => {
    // Who has ended is asked of a thread alone that has faulted too often: elsewhere ends commute with faults.
    if (!(fair.faultsOf(event.actor) > plan.faultsMax)) return;
    touch(world.context, THREADS_LEFT, 'read');
    const names = [...left.keys()];
    if (!names.every((name) => fair.faultsOf(name) > plan.faultsMax)) return;
    const faults = names.map((actor) => ({ actor, count: fair.faultsOf(actor) }));
    fail({ kind: 'faults', faults, page: event.page as PageIndex });
  };
  world.log.listeners.push(see);
  const rounds = watchRounds(world);
  let repeated: readonly RoundStep[] | 'none' = 'none';
  let of: 'steps' | 'between steps' = 'steps';
  const { lockOrderViolations } = world.context;
  return {
    fail,
    threadEnded(actor) {
      touch(world.context, THREADS_LEFT, 'lower');
      const count = (left.get(actor) ?? 1) - 1;
      if (count === 0) left.delete(actor);
      else left.set(actor, count);
    },
    endless(at) {
      if (failed === 'none') [repeated, of] = [[at], 'between steps'];
      fail(roundWithoutEnd([at]));
    },
    round: () => repeated,
    roundOf: () => of,
    failure() {
      if (failed === 'none' && oracles.has('OR5')) {
        repeated = rounds.look();
        if (repeated !== 'none') fail(roundWithoutEnd(repeated));
      }
      const [first] = lockOrderViolations;
      if (failed === 'none' && first !== undefined && oracles.has('LK3')) {
        const { task, at, outer, wanted } = first;
        const { actor } = task;
        failed = { kind: 'lock order', actor, wants: wanted.class, at, holds: outer.class };
      }
      return failed;
    },
  };
}

type ViolationEvent = Extract<Event, { kind: 'violation' }>;

/** Whether the scenario asks for the rule, or for the oracle that guards it. */
export function isAsked({ oracles }: ScenarioPlan, { rule, oracle }: ViolationEvent): boolean {
  return oracles.has(rule) || oracles.has(oracle);
}

function roundWithoutEnd(round: readonly RoundStep[]): Failure {
  const lastOf = new Map(round.map((step) => [`${step.actor} ${step.task}`, step]));
  const chain = [...lastOf.values()].map(({ actor, task, at }) => ({
    actor,
    task,
    wants: 'nothing',
    waitsAt: at,
    heldBy: [],
    missedWake: false,
  }));
  const [first] = chain;
  return { kind: 'stuck', how: 'livelock', chain, cycle: `${first?.actor} -> ${first?.actor}` };
}

/** What an oracle has reported, as a failure. */
export function violationOf(event: ViolationEvent): Violation {
  const { rule, text, device } = event;
  return { kind: 'violation', rule, text, actors: device === 'none' ? [] : [device] };
}
