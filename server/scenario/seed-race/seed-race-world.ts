/**
 * What the seed race needs of whoever runs it: two devices `dev0` and `dev1` and a process `cpu0` that do what they are
 * asked, and that can be held after a kernel call. A machine in this process and a live lab with clients in others
 * both do.
 */
import type { Event } from '../../abi/event.ts';

export type SeedActor = 'cpu0' | 'dev0' | 'dev1';

/** A verb of a device (clients/drivers/dmirror-verb.ts) or of a CPU (the methods of cpu-requests.ts). */
export interface SeedVerb {
  readonly verb: string;
  readonly [argument: string]: unknown;
}

export interface SeedResult {
  readonly [name: string]: unknown;
}

export interface SeedWorld {
  /** Does one verb. Rejects if the actor is gone or refuses. */
  perform(actor: SeedActor, verb: SeedVerb): Promise<SeedResult>;
  /** The actor's next task that returns from `after` (migrate_vma_setup) will stand still. */
  hold(actor: SeedActor, after: string): Promise<void>;
  /** Resolves when a task of the actor stands. */
  untilHeld(actor: SeedActor, after: string): Promise<void>;
  /** The actor goes on. */
  go(actor: SeedActor): Promise<void>;
  /** Everything that has happened since the world began. */
  events(): readonly Event[];
  /** Called once, also after a failure. */
  end(): Promise<void>;
}

/** Begins a fresh world whose kernel runs with `patch` ('stock' for none). */
export type NewSeedWorld = (patch: string) => Promise<SeedWorld>;
