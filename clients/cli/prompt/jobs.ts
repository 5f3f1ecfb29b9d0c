/** Verbs that are under way. The prompt waits for one of them at a time, and not for ever. */
import type { VerbResult } from '../../sdk/conductor.ts';

/** How a verb ended, in words and as data. */
export interface JobEnd {
  readonly outcome: 'done' | 'failed';
  readonly text: string;
  readonly result: VerbResult;
}

export interface PromptJob {
  readonly number: number;
  /** As it was typed. */
  readonly line: string;
  readonly ended: Promise<JobEnd>;
  /** 'announced': the prompt has stopped waiting for it and said so, so its end is news. */
  state: 'awaited' | 'announced' | 'over';
}

/** Why the prompt stopped waiting: the verb is over, a task of its actor stands at a hold, or patience ran out. */
export type Waited =
  | { readonly why: 'over'; readonly ended: JobEnd }
  | { readonly why: 'held'; readonly after: string }
  | { readonly why: 'patience' };

export class PromptJobs {
  readonly #running = new Map<number, PromptJob>();
  readonly #late: (job: PromptJob, ended: JobEnd) => void;
  #next = 1;
  #heldHere: ((after: string) => void) | 'not-waiting' = 'not-waiting';

  /** `late` is called for every job that ends when the prompt no longer waits for it. */
  constructor(late: (job: PromptJob, ended: JobEnd) => void) {
    this.#late = late;
  }

  get running(): readonly PromptJob[] {
    return [...this.#running.values()];
  }

  start(line: string, work: Promise<JobEnd>): PromptJob {
    const number = this.#running.size === 0 ? 1 : this.#next;
    this.#next = number + 1;
    const job: PromptJob = {
      number,
      line,
      state: 'awaited',
      ended: work.then((ended) => {
        this.#running.delete(number);
        if (job.state === 'announced') this.#late(job, ended);
        job.state = 'over';
        return ended;
      }),
    };
    // The waiting call gets it; `late` is not called.
    job.ended.catch(() => this.#running.delete(number));
    this.#running.set(number, job);
    return job;
  }

  /** Waits for `job`, for `patienceMs` at most ('for-ever': until it ends or is held). */
  async wait(job: PromptJob, patienceMs: number | 'for-ever'): Promise<Waited> {
    const held = Promise.withResolvers<Waited>();
    this.#heldHere = (after) => held.resolve({ why: 'held', after });
    const over = job.ended.then((ended): Waited => ({ why: 'over', ended }));
    const timer =
      patienceMs === 'for-ever'
        ? 'none'
        : setTimeout(() => held.resolve({ why: 'patience' }), patienceMs);
    try {
      const waited = await Promise.race([over, held.promise]);
      if (waited.why !== 'over') job.state = 'announced';
      return waited;
    } finally {
      if (timer !== 'none') clearTimeout(timer);
      this.#heldHere = 'not-waiting';
    }
  }

  /** A task stands at a hold. Returns whether the prompt was waiting, and so says it itself. */
  held(after: string): 'announced' | 'not-waiting' {
    if (this.#heldHere === 'not-waiting') return 'not-waiting';
    this.#heldHere(after);
    return 'announced';
  }
}
