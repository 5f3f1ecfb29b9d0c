/**
 * A server among others: it says that it lives, for the length of a lease, and hears which labs have no server any
 * more. While its lease may be over it lets nothing out: see LabCommits.
 */
import type { RedisLink } from './redis-link.ts';
import { BEAT, LEAVE } from './scripts.ts';

/** Milliseconds between two beats, at most. */
const BEAT_MS_MAX = 250;
/** Beats in a lease, at least. */
const BEATS_PER_LEASE = 4;
/** A lab is taken over when it was without a server at so many beats in a row: who was stalled comes back first. */
const LOOKS = 2;

export interface MembershipOptions {
  readonly link: RedisLink;
  /** Of this process, and no other ever. */
  readonly id: string;
  readonly address: string;
  readonly leaseMs: number;
  /** The labs that are this server's as far as it knows. */
  readonly owned: () => readonly string[];
  /** Others took a lab. */
  readonly onFenced: (lab: string) => void;
  /** Nobody has the lab, or this server without knowing. */
  readonly onOrphan: (lab: string) => void;
  readonly onRenewed: () => void;
}

export class Membership {
  readonly #options: MembershipOptions;
  #validUntil = 0;
  #others: readonly string[] = [];
  readonly #orphanLooks = new Map<string, number>();
  #timer: NodeJS.Timeout | 'none' = 'none';
  #state: 'on' | 'over' = 'on';

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Whether nobody can have taken its labs. */
  get leased(): boolean {
    return performance.now() < this.#validUntil;
  }

  get others(): readonly string[] {
    return this.#others;
  }

  /** Rejects with what Redis says. */
  async begin(): Promise<void> {
    await this.#beat();
    this.#again();
  }

  /** Its labs are for the others. */
  async leave(): Promise<void> {
    this.stop();
    await this.#options.link.run(LEAVE, [this.#options.id]).catch(() => undefined);
  }

  stop(): void {
    this.#state = 'over';
    if (this.#timer !== 'none') clearTimeout(this.#timer);
  }

  #again(): void {
    if (this.#state === 'over') return;
    const ms = Math.min(BEAT_MS_MAX, this.#options.leaseMs / BEATS_PER_LEASE);
    this.#timer = setTimeout(() => {
      // What Redis does not answer shows: the lease ends.
      this.#beat()
        .catch(() => this.#orphanLooks.clear())
        .finally(() => this.#again());
    }, ms);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    const { link, id, address, leaseMs, onFenced, onRenewed } = this.#options;
    const sent = performance.now();
    const before = this.#options.owned();
    const answer = await link.run(BEAT, [id, address, leaseMs]);
    const [mine, others, orphans] = answer as [string[], string[], string[]];
    if (this.#state === 'over') return;
    this.#others = others;
    const found = new Set(mine);
    const now = new Set(this.#options.owned());
    for (const lab of before) if (!found.has(lab) && now.has(lab)) onFenced(lab);
    this.#validUntil = sent + leaseMs;
    onRenewed();
    this.#look([...orphans, ...mine.filter((lab) => !now.has(lab))]);
  }

  #look(orphans: readonly string[]): void {
    const seen = new Set(orphans);
    for (const lab of this.#orphanLooks.keys()) if (!seen.has(lab)) this.#orphanLooks.delete(lab);
    for (const lab of seen) {
      const looks = (this.#orphanLooks.get(lab) ?? 0) + 1;
      this.#orphanLooks.set(lab, looks);
      if (looks >= LOOKS) this.#options.onOrphan(lab);
    }
  }
}
