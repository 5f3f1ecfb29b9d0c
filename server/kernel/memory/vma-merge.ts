/**
 * Joining a mapping with its neighbours where the kernel would. Source: mm/mmap.c, vma_merge(), can_vma_merge_after(),
 * can_vma_merge_before(), and the expansion in mmap_region() (6.1).
 */
import type { Task } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { AnonVma, Vma } from './mm-types.ts';
import { findVmaPosition, type VmaList, type VmaShape, vmaPages } from './vma.ts';
import type { MergeWish, VmaAdjustment } from './vma-changes.ts';

/** is_mergeable_anon_vma(): equal, or one is missing and `vma` was not cloned from a parent. */
function mergeableAnonVma(a: AnonVma | 'none', b: AnonVma | 'none', vma: Vma | 'any'): boolean {
  if ((a === 'none' || b === 'none') && (vma === 'any' || vma.chain.length === 1)) return true;
  return a === b;
}

function sameShape(vma: Vma, shape: VmaShape): boolean {
  return (
    vma.prot === shape.prot &&
    vma.kind === shape.kind &&
    vma.file === shape.file &&
    vma.accounted === shape.accounted
  );
}

function canMergeAfter(vma: Vma, wish: MergeWish): boolean {
  return (
    vma.end === wish.range.first &&
    sameShape(vma, wish.shape) &&
    mergeableAnonVma(wish.anonVma, vma.anonVma, vma) &&
    vma.pgoff + vmaPages(vma) === wish.pgoff
  );
}

function canMergeBefore(vma: Vma, wish: MergeWish): boolean {
  return (
    vma.first === wish.range.end &&
    sameShape(vma, wish.shape) &&
    mergeableAnonVma(wish.anonVma, vma.anonVma, vma) &&
    vma.pgoff === wish.pgoff + (wish.range.end - wish.range.first)
  );
}

/** The mapping after the one at `at`, if that one ends with the range. */
function behind(vmas: VmaList, at: number, range: PageRange): Vma | undefined {
  return vmas[at]?.end === range.end ? vmas[at + 1] : undefined;
}

/**
 * vma_merge(): joins `wish` (a mapping on its way, or one whose shape changes) with its neighbours. Mappings inside the
 * range are swallowed.
 *
 * Holds: mmap_lock for writing. Takes: what vmaAdjust() takes. Returns: the mapping that covers the range now.
 */
export function* vmaMerge(k: Kernel, mm: Mm, wish: MergeWish): Task<Vma | 'none'> {
  const adjustment = adjustmentFor(mm.vmas, wish);
  if (adjustment === 'none') return 'none';
  yield* k.fn.vmaAdjust(k, mm, adjustment);
  return adjustment.importer;
}

/** The cases that vma_merge() numbers in its comment. */
function adjustmentFor(vmas: VmaList, wish: MergeWish): VmaAdjustment | 'none' {
  const { first, end } = wish.range;
  const at = findVmaPosition(vmas, first);
  const inside = vmas[at];
  const covered = inside !== undefined && inside.first < end ? inside : 'none';
  const next = covered === 'none' ? vmas[at] : behind(vmas, at, wish.range);
  // A range that starts inside a mapping has that mapping itself as its predecessor (case 4).
  const before = covered !== 'none' && covered.first < first ? undefined : vmas[at - 1];
  const joinsBefore = before !== undefined && canMergeAfter(before, wish);
  const joinsNext = next !== undefined && canMergeBefore(next, wish);
  if (joinsBefore && joinsNext && mergeableAnonVma(before.anonVma, next.anonVma, 'any')) {
    return joinAll(before, covered, next);
  }
  if (joinsBefore) return growUp(before, covered, wish.range);
  if (joinsNext) return growDown(next, covered, wish.range);
  return 'none';
}

/** Cases 1 and 6. */
function joinAll(vma: Vma, covered: Vma | 'none', next: Vma): VmaAdjustment {
  const exporter = covered === 'none' || covered.anonVma === 'none' ? next : covered;
  const removed = covered === 'none' ? [next] : [covered, next];
  const { first } = vma;
  return {
    vma,
    first,
    end: next.end,
    next: 'none',
    removed,
    insert: 'none',
    importer: vma,
    exporter,
  };
}

/** Cases 2, 5 and 7. */
function growUp(vma: Vma, covered: Vma | 'none', { end }: PageRange): VmaAdjustment {
  const grown = { vma, first: vma.first, end, insert: 'none', importer: vma } as const;
  if (covered === 'none') return { ...grown, next: 'none', removed: [], exporter: 'none' };
  return covered.end === end
    ? { ...grown, next: 'none', removed: [covered], exporter: covered }
    : { ...grown, next: covered, removed: [], exporter: covered };
}

/** Cases 3, 4 and 8. */
function growDown(vma: Vma, covered: Vma | 'none', { first }: PageRange): VmaAdjustment {
  const grown = { vma, first, end: vma.end, next: 'none', insert: 'none', importer: vma } as const;
  if (covered === 'none') return { ...grown, removed: [], exporter: 'none' };
  if (covered.first === first) return { ...grown, removed: [covered], exporter: covered };
  const shrunk = { vma: covered, first: covered.first, end: first, insert: 'none' } as const;
  return { ...shrunk, next: vma, removed: [], importer: vma, exporter: covered };
}

/**
 * The expansion in mmap_region(): a new mapping between two others. The upper one is asked first; if it takes the new
 * one, the lower must fit to the upper's anon_vma, and one without any does not.
 *
 * Holds: mmap_lock for writing. Takes: what vmaAdjust() takes. Returns: whether a neighbour covers the range now.
 */
export function* mmapExpand(k: Kernel, mm: Mm, wish: MergeWish): Task<'expanded' | 'alone'> {
  const at = findVmaPosition(mm.vmas, wish.range.first);
  const [before, next] = [mm.vmas[at - 1], mm.vmas[at]];
  const joinsNext = next !== undefined && canMergeBefore(next, wish);
  const anonVma = joinsNext ? next.anonVma : 'none';
  const joinsBefore = before !== undefined && canMergeAfter(before, { ...wish, anonVma });
  if (joinsBefore && joinsNext) yield* k.fn.vmaAdjust(k, mm, joinAll(before, 'none', next));
  else if (joinsBefore) yield* k.fn.vmaAdjust(k, mm, growUp(before, 'none', wish.range));
  else if (joinsNext) yield* k.fn.vmaAdjust(k, mm, growDown(next, 'none', wish.range));
  return joinsBefore || joinsNext ? 'expanded' : 'alone';
}
