import type { KernelChange } from './kernel-change.ts';

/** A kernel that can be chosen: the one before it, and what has changed since. */
export interface KernelVersion {
  readonly id: string;
  /** What it was read from, and whether real recordings bear it out. */
  readonly source: string;
  /** 'none': the stock text as it stands. */
  readonly base: string | 'none';
  readonly changes: readonly KernelChange[];
}
