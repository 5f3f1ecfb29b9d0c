/**
 * Rounds of a fair execution that change nothing: every task that could go on took a step, and the state is what it
 * was before. When that has happened often enough, a fair scheduler can go round for ever (OR5), in whichever loop the
 * tasks are: of a driver, of the kernel, of a patch.
 *
 * Leaves out: what tasks count for themselves; a loop that gives up after more rounds than ROUNDS is taken for one
 * without end.
 */
import type { World } from '../machine/world.ts';
import { stateKey } from './state-key.ts';

export interface RoundStep {
  readonly actor: string;
  readonly task: string;
  readonly at: string;
}

export interface RepeatedRounds {
  /** Call it after each step. Returns: the steps of the round that repeats, or 'none'. */
  readonly look: () => readonly RoundStep[] | 'none';
}

/** Executions are much shorter, mostly, and then nothing is looked at. */
const STEPS_BEFORE = 200;
/** Times that a state comes again before it is taken for a round without end. */
export const ROUNDS = 16;

interface Met {
  times: number;
  /** Steps that were taken when it was met last. */
  after: number;
}

/** The execution begins now. */
export function watchRounds(world: World): RepeatedRounds {
  const { scheduler, context } = world;
  const began = scheduler.steps;
  const steps: RoundStep[] = [];
  const met = new Map<string, Met>();
  const went = new Set<number>();
  const couldGo = new Set<number>();
  return {
    look() {
      if (scheduler.steps - began < STEPS_BEFORE) return 'none';
      const { current, at } = context;
      steps.push({ actor: current.actor, task: current.name, at });
      went.add(current.id);
      for (const { identity } of scheduler.readyTasks()) couldGo.add(identity.id);
      for (const id of couldGo) if (!went.has(id)) return 'none';
      went.clear();
      couldGo.clear();
      const key = stateKey(world);
      const before = met.get(key) ?? { times: 0, after: 0 };
      const round = steps.slice(before.after);
      met.set(key, { times: before.times + 1, after: steps.length });
      return before.times >= ROUNDS ? round : 'none';
    },
  };
}
