/** What callers want of the mapping list. Source: mm/mmap.c (6.1). */
import type { PageIndex, PageRange } from '../../vocabulary/address.ts';
import type { AnonVma, Vma } from './mm-types.ts';
import type { VmaShape } from './vma.ts';

/** A mapping on its way, or the part of one that takes another shape. */
export interface MergeWish {
  readonly range: PageRange;
  readonly shape: VmaShape;
  readonly pgoff: number;
  readonly anonVma: AnonVma | 'none';
}

/** What __vma_adjust() is to do. */
export interface VmaAdjustment {
  /** Takes these bounds. */
  readonly vma: Vma;
  readonly first: PageIndex;
  readonly end: PageIndex;
  /** The mapping above it that gives pages up or gets some: its lower border becomes `end`. */
  readonly next: Vma | 'none';
  /** Mappings that `vma` swallows. */
  readonly removed: readonly Vma[];
  /** The other half of a split, not yet in the list. */
  readonly insert: Vma | 'none';
  /** Anonymous pages change hands, so that who gets them needs the anon_vmas of who had them. */
  readonly importer: Vma;
  readonly exporter: Vma | 'none';
}
