import type { KernelFunctions } from '../kernel.ts';

/** One change of Linux between two versions, as overrides of the functions that it changes. */
export interface KernelChange {
  /** The version that has it first. */
  readonly since: string;
  /** Where it comes from: the title of the commit, its hash where it is known. */
  readonly commit: string;
  /** What it changes, in one sentence. */
  readonly summary: string;
  readonly overrides: (older: KernelFunctions) => Partial<KernelFunctions>;
}
