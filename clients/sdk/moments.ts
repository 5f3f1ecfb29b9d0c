/**
 * The moments in which a client stood still, each with what it was then: a lab that goes back asks for one. What a
 * moment is, server and client know by counting the same frames.
 */
import { type ClientMoment, MOMENTS_MAX } from '../../server/protocol/client-moment.ts';

/** Frames to and from the machine, of one incarnation. */
export interface FrameCount {
  said: number;
  heard: number;
}

export interface KeptMoment<Kept> {
  readonly moment: ClientMoment;
  readonly was: Kept;
}

/** What a client has to know to go on counting where another one of its session was. */
export interface ClientPast<Kept> {
  readonly frames: ClientMoment;
  readonly moments: readonly KeptMoment<Kept>[];
}

export class Moments<Kept> {
  #kept: KeptMoment<Kept>[];

  constructor(kept: readonly KeptMoment<Kept>[] = []) {
    this.#kept = [...kept];
  }

  /** Oldest first. */
  get kept(): readonly KeptMoment<Kept>[] {
    return this.#kept;
  }

  /** `was` is called if the moment is a new one; 'busy' keeps nothing. */
  keep({ said, heard }: FrameCount, was: () => Kept | 'busy'): void {
    const last = this.#kept.at(-1)?.moment;
    if (last !== undefined && last.said === said && last.heard === heard) return;
    const now = was();
    if (now === 'busy') return;
    if (this.#kept.length === MOMENTS_MAX) this.#kept.shift();
    this.#kept.push({ moment: { said, heard }, was: now });
  }

  all(): ClientMoment[] {
    return this.#kept.map(({ moment }) => moment);
  }

  /** What was then. What came later is forgotten. */
  backTo(asked: ClientMoment): Kept | 'lost' {
    const at = this.#kept.findLastIndex(({ moment }) => {
      return moment.said === asked.said && moment.heard === asked.heard;
    });
    this.#kept.length = at + 1;
    return this.#kept.at(-1)?.was ?? 'lost';
  }
}
