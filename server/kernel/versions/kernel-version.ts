import type { KernelChange } from './kernel-change.ts';

/** A kernel that can be chosen: the one before it, and what has changed since. */
export interface KernelVersion {
  readonly id: string;
  /** What it was read from. */
  readonly source: string;
  /** 'recorded': programs that were recorded on it agree. */
  readonly recorded: 'recorded' | 'read';
  /** 'none': the stock text as it stands. */
  readonly base: string | 'none';
  readonly changes: readonly KernelChange[];
}
