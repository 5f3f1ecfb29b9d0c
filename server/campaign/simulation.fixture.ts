/**
 * A campaign on paper: units of measured durations, workers, and one Redis that serves one request after the other.
 * Pure: the same numbers give the same campaign. Leaves out: networks that lose, workers that come and go.
 */

export interface SimulatedCampaign {
  /** Milliseconds of each unit, in the order in which they are queued. */
  readonly units: readonly number[];
  /** Threads, each on its own. */
  readonly workers: number;
  /** Units of one batch. */
  readonly batch: number;
  /** Milliseconds to Redis and back, without what it does. */
  readonly roundTripMs: number;
  /** Milliseconds of Redis for a unit that is taken, for an answer, for a batch. */
  readonly redisMs: { readonly take: number; readonly done: number; readonly batch: number };
  /** The share of workers that are slow, and how many times. */
  readonly stragglers: { readonly share: number; readonly times: number };
}

export interface Simulated {
  /** Milliseconds from the first batch to the last answer. */
  readonly ms: number;
  /** Work by work that could have been done in that time. */
  readonly efficiency: number;
  /** The share of the time in which Redis does something. */
  readonly redisBusy: number;
  /** The share of the time behind the moment from which on some worker had nothing left to take. */
  readonly tail: number;
}

interface Moment {
  readonly at: number;
  readonly worker: number;
  /** What is asked of Redis at that moment. */
  readonly asks: 'batch' | 'take' | 'done';
}

/** Each worker: a batch, then of each unit take, answer, done. */
export function simulate(campaign: SimulatedCampaign): Simulated {
  const { units, workers, batch, roundTripMs, redisMs, stragglers } = campaign;
  const slow = Math.round(workers * stragglers.share);
  const left = Array.from({ length: workers }, () => ({ next: 0, end: 0 }));
  const moments = new MomentQueue();
  for (let worker = 0; worker < workers; worker += 1) moments.add({ at: 0, worker, asks: 'batch' });
  let [queued, redisFree, redisBusy, last] = [0, 0, 0, 0];
  let dryAt = Number.POSITIVE_INFINITY;
  for (let moment = moments.next(); moment !== 'none'; moment = moments.next()) {
    const { at, worker, asks } = moment;
    const arrived = at + roundTripMs / 2;
    const served = Math.max(arrived, redisFree) + redisMs[asks];
    redisBusy += redisMs[asks];
    redisFree = served;
    const answered = served + roundTripMs / 2;
    const own = left[worker] as { next: number; end: number };
    if (asks === 'batch') {
      if (queued >= units.length) {
        dryAt = Math.min(dryAt, at);
        continue;
      }
      own.next = queued;
      queued = Math.min(units.length, queued + batch);
      own.end = queued;
      moments.add({ at: answered, worker, asks: 'take' });
    } else if (asks === 'take') {
      const ms = (units[own.next] as number) * (worker < slow ? stragglers.times : 1);
      moments.add({ at: answered + ms, worker, asks: 'done' });
    } else {
      last = Math.max(last, answered);
      own.next += 1;
      moments.add({ at: answered, worker, asks: own.next < own.end ? 'take' : 'batch' });
    }
  }
  const work = units.reduce((sum, ms) => sum + ms, 0);
  // What a slow worker could have done is less.
  const capacity = last * (workers - slow + slow / stragglers.times);
  return {
    ms: last,
    efficiency: work / capacity,
    redisBusy: Math.min(1, redisBusy / last),
    tail: Number.isFinite(dryAt) ? Math.max(0, (last - dryAt) / last) : 0,
  };
}

/** The earliest first: a binary heap. */
class MomentQueue {
  readonly #heap: Moment[] = [];

  add(moment: Moment): void {
    const heap = this.#heap;
    let at = heap.push(moment) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as Moment).at <= moment.at) break;
      heap[at] = heap[above] as Moment;
      at = above;
    }
    heap[at] = moment;
  }

  next(): Moment | 'none' {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return 'none';
    if (heap.length === 0) return first;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const other = below + 1;
      const less =
        other < heap.length && (heap[other] as Moment).at < (heap[below] as Moment).at
          ? other
          : below;
      if ((heap[less] as Moment).at >= last.at) break;
      heap[at] = heap[less] as Moment;
      at = less;
    }
    heap[at] = last;
    return first;
  }
}
