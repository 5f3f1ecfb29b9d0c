import { type TaskContext, wake } from '../task/context.ts';
import { type ObjectId, objectId } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';

/** How far the programs have come: what the operation `wait` waits for, and what a forked child does. */
export interface Milestones {
  /** Woken when the milestone comes closer. */
  object(name: string): ObjectId;
  reached(name: string): boolean;
  /** A thread of the instance `actor` has done one operation. */
  opDone(actor: string, does: string): void;
  /** One thread of the instance `actor` has ended. */
  threadEnded(actor: string): void;
  /** The fork that was to make the thread `child` has come to its end. */
  forkEnded(child: string, outcome: 'born' | 'stillborn'): void;
  /** 'awaited' for a child whose fork has not ended; 'born' for any other thread. */
  birth(actor: string): Birth;
  /** Which actors have how much before them, by the object that shows it. */
  leftAt(object: ObjectId): string | 'unknown';
}

export type Birth = 'awaited' | 'born' | 'stillborn';

/** What a milestone counts of an actor: ended threads, the end of its fork, or operations done. */
export const THREAD_END = 'end';
const FORK_END = 'birth';

export interface Milestone {
  /** As the operation `wait` says it: `cpu0`, `cpu0 at fork`; for a child, forkOf(). */
  readonly name: string;
  readonly counts: string;
  /** How often each instance has to report. */
  readonly times: ReadonlyMap<string, number>;
  /** Instances whose programs bring it closer. */
  readonly by: readonly string[];
}

/** The fork of `child` by one of `by`, which its own program waits for. */
export function childMilestone(child: string, by: readonly string[]): Milestone {
  return { name: forkOf(child), counts: FORK_END, times: new Map([[child, 1]]), by };
}

/** What childMilestone() is called. */
export function forkOf(child: string): string {
  return `the fork of ${child}`;
}

interface Counter {
  readonly object: ObjectId;
  readonly left: Map<string, number>;
}

export function newMilestones(context: TaskContext, wanted: readonly Milestone[]): Milestones {
  const counters = new Map<string, Counter>();
  const watching = new Map<string, Counter[]>();
  const stillborn = new Set<string>();
  for (const [at, { name, counts, times }] of wanted.entries()) {
    const counter = { object: objectId('hold', HOLD_OWNERS.milestones, at), left: new Map(times) };
    counters.set(name, counter);
    for (const actor of times.keys()) {
      const key = `${actor} ${counts}`;
      watching.set(key, [...(watching.get(key) ?? []), counter]);
    }
  }
  const counterOf = (name: string): Counter => {
    const found = counters.get(name);
    if (found === undefined) throw new RangeError(`nothing waits for ${name}`);
    return found;
  };
  const report = (actor: string, counts: string): void => {
    for (const { object, left } of watching.get(`${actor} ${counts}`) ?? []) {
      const before = left.get(actor) ?? 0;
      if (before === 0) continue;
      left.set(actor, before - 1);
      wake(context, object);
    }
  };
  return {
    object: (name) => counterOf(name).object,
    reached: (name) => sumOf(counterOf(name)) === 0,
    opDone: report,
    threadEnded: (actor) => report(actor, THREAD_END),
    forkEnded(child, outcome) {
      if (outcome === 'stillborn') stillborn.add(child);
      report(child, FORK_END);
    },
    birth(actor) {
      const [fork] = watching.get(`${actor} ${FORK_END}`) ?? [];
      if (fork !== undefined && sumOf(fork) > 0) return 'awaited';
      return stillborn.has(actor) ? 'stillborn' : 'born';
    },
    leftAt(object) {
      for (const counter of counters.values()) {
        if (counter.object !== object) continue;
        return `${[...counter.left.values()].join()} ${[...stillborn].join()}`;
      }
      return 'unknown';
    },
  };
}

function sumOf({ left }: Counter): number {
  let sum = 0;
  for (const count of left.values()) sum += count;
  return sum;
}
