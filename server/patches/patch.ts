import type { KernelFunctions } from '../kernel/kernel.ts';

/** A set of overrides of named kernel functions, as a livepatch is. */
export interface Patch {
  readonly id: string;
  /** Where the patch, or the bug, comes from: list, subject, date, message-id. */
  readonly provenance: string;
  /** What it changes, in one sentence. */
  readonly summary: string;
  /** The user's file that it comes from. Absent: it ships. */
  readonly file?: string;
  readonly overrides: (stock: KernelFunctions) => Partial<KernelFunctions>;
  /** The same in the text of a real kernel, by its version (6.12), for mmrace confirm. */
  readonly onLinux?: { readonly [version: string]: readonly CallLeftOut[] };
}

/**
 * A call in the kernel that is not made: its bytes do nothing, or give what the call would have returned. Of several
 * calls of the same function all, or the `nth` in the order of the text, from 1.
 */
export interface CallLeftOut {
  readonly function: string;
  readonly call: string;
  readonly returns?: number;
  readonly nth?: number;
}

/** What a user's file exports as `patch`. */
export type OwnPatch = Omit<Patch, 'provenance' | 'file'> & Partial<Pick<Patch, 'provenance'>>;

/** The kernel with `patches` applied, the first one innermost. */
export function patched(stock: KernelFunctions, patches: readonly Patch[]): KernelFunctions {
  const functions = { ...stock };
  for (const patch of patches) Object.assign(functions, patch.overrides({ ...functions }));
  return functions;
}
