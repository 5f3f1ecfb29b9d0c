import type { Pfn } from '../vocabulary/address.ts';
import type { Brand } from '../vocabulary/brand.ts';

/**
 * One page of an hmm_range_fault() answer: a frame number and flags in one number, so that it travels as one.
 * The bits are ours (the kernel's stand at 63 downwards, out of reach of a double); the meaning is
 * include/linux/hmm.h's.
 */
export type HmmPfn = Brand<number, 'HmmPfn'>;

export const HMM_PFN_VALID = 1;
export const HMM_PFN_WRITE = 2;
export const HMM_PFN_ERROR = 4;
/** The entry maps the shared zero page: test_hmm asks is_zero_pfn(). */
export const HMM_PFN_ZERO = 8;
/** The frame is private memory of the asking device. */
export const HMM_PFN_DEVICE_PRIVATE = 16;
/** The entry is part of a huge mapping (hmm_pfn_to_map_order() of 9). */
export const HMM_PFN_PMD = 32;
const HMM_PFN_SCALE = 64;

export const HMM_PFN_NONE = 0 as HmmPfn;

export function hmmPfn(pfn: Pfn, flags: number): HmmPfn {
  return (pfn * HMM_PFN_SCALE + flags) as HmmPfn;
}

export function hmmPfnError(): HmmPfn {
  return HMM_PFN_ERROR as HmmPfn;
}

export function hmmPfnToPfn(entry: HmmPfn): Pfn {
  return Math.floor(entry / HMM_PFN_SCALE) as Pfn;
}

/** True if every flag in `flags` is set. */
export function hmmPfnHas(entry: HmmPfn, flags: number): boolean {
  return ((entry % HMM_PFN_SCALE) & flags) === flags;
}
