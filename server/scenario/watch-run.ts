/** What may not happen while a scenario runs. The first such thing ends the execution. */

import type { Event } from '../abi/event.ts';
import { refcount } from '../kernel/memory/frames.ts';
import type { World } from '../machine/world.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { hexAddress, type PageIndex } from '../vocabulary/address.ts';
import type { FairFaults } from './fair-faults.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

export interface RunWatch {
  /** A thread of `actor` has come to the end of its program. */
  readonly threadEnded: (actor: string) => void;
  readonly failure: () => string | 'none';
  /** The first one counts. */
  readonly fail: (text: string) => void;
}

export function watchRun(plan: ScenarioPlan, world: World, fair: FairFaults): RunWatch {
  const { oracles } = plan;
  /** Threads that have not ended, by actor. */
  const left = new Map<string, number>();
  for (const { actor } of plan.threads) left.set(actor, (left.get(actor) ?? 0) + 1);
  let failed: string | 'none' = 'none';
  const fail = (text: string): void => {
    if (failed === 'none') failed = text;
  };
  const see = (event: Event): void => {
    switch (event.kind) {
      case 'violation':
        if (oracles.has(event.rule) || oracles.has(event.oracle)) {
          fail(`${event.rule}: ${event.text}`);
        }
        return;
      case 'callback':
        if (oracles.has('OR2') && event.function === 'migrate_to_ram') checkFrame(event);
        return;
      case 'fault':
        if (oracles.has('OR5')) checkProgress(event);
        return;
      default:
    }
  };
  const checkFrame = (event: Extract<Event, { kind: 'callback' }>): void => {
    const pfn = event.args.pfn as Pfn;
    if (refcount(world.kernel.frames, pfn) > 0) return;
    fail(`OR2: ${event.device} is asked to bring frame 0x${pfn.toString(16)} back, which is free`);
  };
  // Livelock: whoever is not done only faults, each over and over, and not because the others stand still.
  const checkProgress = (event: Extract<Event, { kind: 'fault' }>): void => {
    const names = [...left.keys()];
    if (!names.every((name) => fair.faultsOf(name) > plan.faultsMax)) return;
    const counts = names.map((name) => `${name} has faulted ${fair.faultsOf(name)} times`);
    const where = hexAddress(event.page as PageIndex);
    fail(`OR5: livelock: ${counts.join(', ')} for one access to ${where}`);
  };
  world.log.listeners.push(see);
  const { lockOrderViolations } = world.context;
  return {
    fail,
    threadEnded(actor) {
      const count = (left.get(actor) ?? 1) - 1;
      if (count === 0) left.delete(actor);
      else left.set(actor, count);
    },
    failure() {
      const [first] = lockOrderViolations;
      if (failed === 'none' && first !== undefined && oracles.has('LK3')) {
        const { task, at, outer, wanted } = first;
        failed = `LK3: ${task.actor} wants ${wanted.class} at ${at} and holds ${outer.class}`;
      }
      return failed;
    },
  };
}
