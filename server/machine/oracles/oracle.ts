/** What every oracle is: a new one is a file with one of these, and a line in all-oracles.ts (its rule: rules.ts). */
import type { PinMode } from '../../abi/cpu-api.ts';
import type { Event } from '../../abi/event.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import type { RuleId } from '../../vocabulary/rules.ts';
import type { Mirrors } from './mirrors.ts';
import type { Registers } from './registers.ts';

export interface Oracle {
  /** The rule that it watches: what scenarios, reports and docs/SPEC.md call it. */
  readonly id: RuleId;
  /** What its violations are called in the event log. */
  readonly name: string;
  /** 'by name': of scenarios, only those that name it in `oracles` are judged by it. */
  readonly asked: 'always' | 'by name';
  /** Absent: it is watched elsewhere. */
  readonly watch?: (watched: Watched) => OracleWatch;
}

/** A world, as an oracle sees it. It changes nothing, and notes what it reads for an explorer by touch(). */
export interface Watched {
  readonly k: Kernel;
  /** What the devices say they map; up to date with the event that is being looked at. */
  readonly mirrors: Mirrors;
  /** What was written to memory: oracle 3's own. */
  readonly registers: Registers;
  /** Writes a violation into the log, with both histories of the page. `device` may be ''. */
  readonly report: (found: FoundViolation) => void;
}

export interface FoundViolation {
  readonly text: string;
  readonly device: string;
  readonly page: PageIndex;
}

export interface OracleWatch {
  /** All that it remembers from one event to the next; a checkpoint writes it down. */
  readonly keeps: object;
  /** Called for each event, in order. */
  readonly see?: (event: Event) => void;
  /** A driver's page_free() is called for a frame of `device`. */
  readonly pageFreed?: (device: string, pfn: Pfn) => void;
  /** Asked when nothing goes on any more and no task waits: all that is wrong, a sentence each. */
  readonly atRest?: (rest: Rest) => readonly string[];
}

/** What a world at rest has beside the kernel. */
export interface Rest {
  /** Frames that threads hold on purpose. */
  readonly pins: Iterable<{ readonly frames: readonly Pfn[]; readonly mode: PinMode }>;
  /** Private frames that drivers are ready to hand out again, for drivers that report them. */
  readonly freeFrames: ReadonlyMap<string, readonly Pfn[]>;
  /** Invalidations that drivers of classic notifiers take to be in progress, where there are any. Absent: not asked. */
  readonly invalidating?: ReadonlyMap<string, number>;
}
