/** Which orders of grants are tried: all that are near to first come, first served; or some at random. */
import type { Candidate, GrantPolicy, ScheduleRun } from './schedule.ts';

/** A source of schedules. */
export interface Orders {
  /** The policy of the next schedule, or 'all done'. */
  next(): GrantPolicy | 'all done';
  /** What came of it. */
  ran(run: ScheduleRun): void;
}

/** First come, first served: the actor that went last goes on as long as it has something to do; else the first. */
function firstCome(candidates: readonly Candidate[], previous: Candidate | 'none'): number {
  if (previous === 'none') return 0;
  const same = candidates.findIndex(({ key }) => key === previous.key);
  if (same >= 0) return same;
  return Math.max(
    0,
    candidates.findIndex(({ actor }) => actor === previous.actor),
  );
}

/** Repeats `choices`. */
export function repeating(choices: readonly string[]): GrantPolicy {
  return (candidates, _previous, step) => {
    const at = candidates.findIndex(({ key }) => key === choices[step]);
    return at < 0 ? 'diverged' : at;
  };
}

interface Decision {
  readonly keys: readonly string[];
  /** What first come, first served would have chosen. */
  readonly usual: string;
  readonly chosen: string;
  readonly tried: Set<string>;
}

/**
 * Every order that leaves first come, first served in at most `deviationsMax` places, whichever actor begins: depth
 * first, by running the beginning again.
 */
export class NearOrders implements Orders {
  readonly #deviationsMax: number;
  #decisions: Decision[] = [];
  #made: Decision[] = [];
  #begun = false;

  constructor(deviationsMax: number) {
    this.#deviationsMax = deviationsMax;
  }

  next(): GrantPolicy | 'all done' {
    if (this.#begun && this.#backtrack() === 'all done') return 'all done';
    this.#begun = true;
    const prefix = this.#decisions;
    const made: Decision[] = [];
    this.#made = made;
    return (candidates, previous, step) => {
      const keys = candidates.map(({ key }) => key);
      const usual = keys[firstCome(candidates, previous)] as string;
      const planned = prefix[step];
      const chosen = planned?.chosen ?? usual;
      const at = keys.indexOf(chosen);
      if (at < 0 || (planned !== undefined && planned.keys.join() !== keys.join()))
        return 'diverged';
      made[step] = planned ?? { keys, usual, chosen, tried: new Set([chosen]) };
      return at;
    };
  }

  ran(): void {
    this.#decisions = this.#made;
  }

  /** To the last place where something else could be done within the bound. */
  #backtrack(): 'found' | 'all done' {
    for (let at = this.#decisions.length - 1; at >= 0; at -= 1) {
      const { keys, usual, tried } = this.#decisions[at] as Decision;
      const before = this.#decisions.slice(0, at);
      const other = keys.find((key) => !tried.has(key));
      // Who begins is anybody's guess, and no deviation.
      const within = at === 0 || this.#deviations(before) < this.#deviationsMax;
      if (other === undefined || !within) continue;
      tried.add(other);
      this.#decisions = [...before, { keys, usual, chosen: other, tried }];
      return 'found';
    }
    return 'all done';
  }

  #deviations(decisions: readonly Decision[]): number {
    return decisions.slice(1).filter(({ usual, chosen }) => usual !== chosen).length;
  }
}

/** `randomOf(n)` is the source of chance of schedule `n`: numbers from 0 up to 1, excluded. */
export class RandomOrders implements Orders {
  readonly #schedules: number;
  readonly #randomOf: (schedule: number) => () => number;
  readonly #policyOf: (random: () => number) => GrantPolicy;
  #n = 0;

  constructor(
    schedules: number,
    randomOf: (schedule: number) => () => number,
    policyOf: (random: () => number) => GrantPolicy,
  ) {
    this.#schedules = schedules;
    this.#randomOf = randomOf;
    this.#policyOf = policyOf;
  }

  next(): GrantPolicy | 'all done' {
    if (this.#n >= this.#schedules) return 'all done';
    this.#n += 1;
    return this.#policyOf(this.#randomOf(this.#n - 1));
  }

  ran(): void {
    // Chance has no memory.
  }
}

export function uniformly(random: () => number): GrantPolicy {
  return (candidates) => Math.floor(random() * candidates.length);
}

/** PCT, with frames in either direction as tasks of their own. `steps` is a guess at how many there are. */
export function byPriority(random: () => number, steps: number, depth: number): GrantPolicy {
  const priorities = new Map<string, number>();
  const changes = new Map<number, number>();
  for (let change = 1; change < depth; change += 1) {
    changes.set(Math.floor(random() * Math.max(1, steps)), -change);
  }
  const priorityOf = (key: string): number => {
    const known = priorities.get(key);
    if (known !== undefined) return known;
    const made = random();
    priorities.set(key, made);
    return made;
  };
  return (candidates, _previous, step) => {
    let best = 0;
    for (const [at, { key }] of candidates.entries()) {
      if (priorityOf(key) > priorityOf(candidates[best]?.key ?? '')) best = at;
    }
    const lowered = changes.get(step);
    const chosen = candidates[best];
    if (lowered !== undefined && chosen !== undefined) priorities.set(chosen.key, lowered);
    return best;
  };
}
