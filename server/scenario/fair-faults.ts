/**
 * A fair scheduler, as far as faults go: a thread that has faulted often for one access, while no other task did
 * anything since its last fault, waits for another task. Without this a search would follow a thread that spins while
 * all others stand still, for ever.
 */
import type { Cpu } from '../kernel/kernel.ts';
import type { World } from '../machine/world.ts';
import type { Patch } from '../patches/patch.ts';
import type { TaskContext, TaskIdentity } from '../task/context.ts';
import { wake } from '../task/context.ts';
import { type ObjectId, objectId } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';
import { type Task, waitUntil } from '../task/task.ts';

/** Where such a thread waits. */
export const FAIR_TURN = 'lab.fair_turn';

/** Who faults how often, and what happened in between. */
export interface FairFaults {
  /** To be applied last. */
  readonly patch: Patch;
  /** Begins to count; call it when the setup is done. */
  readonly start: (world: World) => void;
  /** Faults of `actor` since its last access succeeded. */
  readonly faultsOf: (actor: string) => number;
  /** All that it knows of threads that fault, as text, to compare states. */
  readonly state: () => string;
}

interface Thread {
  readonly object: ObjectId;
  faults: number;
  /** What had happened by others when it faulted last. */
  seen: number;
  waiting: boolean;
}

/** `faultsMax` faults for one access are free. */
export function fairFaults(actors: readonly string[], faultsMax: number): FairFaults {
  const threads = new Map<string, Thread>();
  for (const [at, actor] of actors.entries()) {
    threads.set(actor, {
      object: objectId('hold', HOLD_OWNERS.turns, at),
      faults: 0,
      seen: 0,
      waiting: false,
    });
  }
  /** Events by actor on whose behalf they happened. */
  const doings = new Map<string, number>();
  let all = 0;
  const byOthers = (actor: string): number => all - (doings.get(actor) ?? 0);

  const turnOf = (cpu: Cpu): Task<void> | 'has it' => {
    const thread = threads.get(cpu.name);
    if (thread === undefined || thread.faults < faultsMax) return 'has it';
    return waitForTurn(thread, () => byOthers(cpu.name));
  };
  return {
    patch: {
      id: 'fair-faults',
      provenance: 'the lab',
      summary: 'a thread that faults again and again lets others go first',
      overrides: (stock) => ({
        exitToUserMode: (k, cpu) => exitInTurn(stock.exitToUserMode(k, cpu), () => turnOf(cpu)),
      }),
    },
    start(world) {
      const { context, log } = world;
      log.listeners.push((event) => {
        const actor = rootOf(context.current).actor;
        all += 1;
        doings.set(actor, (doings.get(actor) ?? 0) + 1);
        const own = threads.get(event.actor);
        if (own !== undefined && event.kind === 'fault') own.faults += 1;
        if (own !== undefined && (event.kind === 'cpu-access' || event.kind === 'signal')) {
          own.faults = 0;
        }
        wakeOthers(context, threads, actor);
      });
    },
    faultsOf: (actor) => threads.get(actor)?.faults ?? 0,
    state() {
      let text = '';
      for (const [name, { faults, seen, waiting }] of threads) {
        if (faults === 0 && !waiting) continue;
        // Beyond the bound it does not matter how many.
        const few = Math.min(faults, faultsMax + 1);
        text += `${name} ${few} ${waiting} ${waiting && byOthers(name) === seen} `;
      }
      return text;
    },
  };
}

function* exitInTurn(exit: Task<void>, turn: () => Task<void> | 'has it'): Task<void> {
  yield* exit;
  const waiting = turn();
  if (waiting !== 'has it') yield* waiting;
}

function* waitForTurn(thread: Thread, byOthers: () => number): Task<void> {
  const { seen } = thread;
  thread.waiting = true;
  yield waitUntil(FAIR_TURN, thread.object, () => byOthers() !== seen);
  thread.waiting = false;
  thread.seen = byOthers();
}

function rootOf(task: TaskIdentity): TaskIdentity {
  return task.parent === 'none' ? task : rootOf(task.parent);
}

function wakeOthers(
  context: TaskContext,
  threads: ReadonlyMap<string, Thread>,
  actor: string,
): void {
  for (const [name, thread] of threads) {
    if (thread.waiting && name !== actor) wake(context, thread.object);
  }
}
