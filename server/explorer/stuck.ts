/** The wait-for graph of tasks that wait for ever: a circle, or a task that waits for what no task will do. */

/** A task by whom it acts for and what it does. */
export interface TaskName {
  readonly actor: string;
  readonly task: string;
}

export interface HeldSince {
  /** A lock, or what else a task may wait for: a bracket that is open, a callback that has not returned. */
  readonly what: string;
  /** The step at which it was taken. */
  readonly at: string;
}

/** One task that waits, and for whom. */
export interface Waiting extends TaskName {
  readonly wants: string;
  readonly waitsAt: string;
  /**
   * Which tasks have what it wants, and since when. Tasks that have ended are here as well: what they hold is never
   * released.
   */
  readonly heldBy: readonly Holder[];
  /** What it waits for is so, and it was not woken. */
  readonly missedWake: boolean;
}

/** The same with what it has. */
export interface Wait extends Waiting {
  readonly holds: readonly HeldSince[];
}

export interface Holder extends TaskName {
  readonly at: string;
  readonly state: 'waits' | 'ended';
}

export interface Stuck {
  /**
   * 'deadlock': some wait in a circle. 'lost wake-up': the task that should end a wait has ended, or never was, or did
   * not wake it. 'livelock': a task does the same again and again, and all others have ended or wait.
   */
  readonly kind: 'deadlock' | 'lost wake-up' | 'livelock';
  readonly waits: readonly Wait[];
  /** The circle, or the tasks that wait in vain: the next one has what this one wants. */
  readonly chain: readonly Wait[];
  /** `cpu0 -> dev0 -> cpu0`; of a chain that does not close, up to `none`. */
  readonly cycle: string;
}

/** `waits` are all that wait; there is at least one. */
export function stuckOf(waits: readonly Wait[]): Stuck {
  const circle = circleIn(waits);
  if (circle.length > 0) {
    const names = [...circle, circle[0] as Wait].map(({ actor }) => actor);
    return { kind: 'deadlock', waits, chain: circle, cycle: names.join(' -> ') };
  }
  const chain = chainToNoHolder(waits);
  const names = [...chain.map(({ actor }) => actor), 'none'];
  return { kind: 'lost wake-up', waits, chain, cycle: names.join(' -> ') };
}

function nextOf(waits: readonly Wait[], wait: Wait): Wait[] {
  return waits.filter((other) =>
    wait.heldBy.some(
      ({ actor, task, state }) => state === 'waits' && other.actor === actor && other.task === task,
    ),
  );
}

/** The shortest circle; empty if there is none. */
function circleIn(waits: readonly Wait[]): Wait[] {
  let shortest: Wait[] = [];
  for (const start of waits) {
    const circle = wayBack(waits, start);
    if (circle.length > 0 && (shortest.length === 0 || circle.length < shortest.length)) {
      shortest = circle;
    }
  }
  return shortest;
}

/** Breadth first, so the first way back to `start` is a shortest. */
function wayBack(waits: readonly Wait[], start: Wait): Wait[] {
  const ways: Wait[][] = [[start]];
  const seen = new Set<Wait>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of nextOf(waits, way.at(-1) as Wait)) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}

/** From a task that no other waits for, as far as it goes. */
function chainToNoHolder(waits: readonly Wait[]): Wait[] {
  const missed = waits.find(({ missedWake }) => missedWake);
  if (missed !== undefined) return [missed];
  const waitedFor = new Set(waits.flatMap((wait) => nextOf(waits, wait)));
  const first = waits.find((wait) => !waitedFor.has(wait)) ?? waits[0];
  const chain: Wait[] = [];
  for (let wait = first; wait !== undefined && !chain.includes(wait); ) {
    chain.push(wait);
    wait = nextOf(waits, wait)[0];
  }
  return chain;
}

/** The task that is waited for has nothing: it must come to its own end. */
export const ITS_OWN = 'its own end';
