import type { Event } from '../abi/event.ts';
import type { KtapOutcome } from './ktap.ts';
import type { LitmusResult } from './litmus.ts';
import type { Turn } from './turn.ts';

/** What a report says beside the events. Nothing in it comes from a clock of the report's own. */
export interface ReportMeta {
  /** Of the scenario, without spaces. */
  readonly name: string;
  /** The kernel that ran: its version, and 'stock' or the name of a patch. */
  readonly kernel: string;
  readonly patch: string;
  readonly verdict: 'holds' | 'broken' | 'unknown';
  /** In one sentence: what was seen, or why the verdict is unknown. */
  readonly seen: string;
  /** Within which the verdict holds, in words: `2 devices, all 266 executions`. */
  readonly bound: string;
  /** The command that shows it again, or 'none'. */
  readonly reproduce: string;
  readonly litmus: LitmusResult;
  readonly properties: readonly PropertyResult[];
  /** What led to the state in which the events begin; absent if they are all that there is. */
  readonly setup?: readonly Event[];
  /** Who waits for whom at the end of a run that got stuck; empty for all others. */
  readonly waits: readonly ReportWait[];
  /** Where it was decided, and what would have been safe. Absent: not known. */
  readonly turn?: Turn;
  /** Locks that were taken in the wrong order, a sentence each, whether or not anything came of it. */
  readonly lockOrder?: readonly string[];
}

/** One edge of the wait-for graph. A cycle is given in order: the next one holds what this one wants. */
export interface ReportWait {
  /** `dev0 migrate-to-dev` */
  readonly task: string;
  readonly holds: string;
  /** Where it took that: a yield point. */
  readonly heldSince: string;
  readonly wants: string;
  readonly waitsAt: string;
}

export interface PropertyResult {
  readonly name: string;
  readonly outcome: KtapOutcome;
  /** Why, for whatever did not pass; else empty. */
  readonly reason: string;
}

/** `events` in any order. Lines end with newlines, the last one too. */
export type Renderer = (events: readonly Event[], meta: ReportMeta) => string;
