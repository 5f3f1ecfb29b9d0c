/**
 * The interval tree of an anon_vma or a file, as far as its order shows: mappings come by their first linear index, and
 * those that begin alike in the order in which they were inserted. Source: mm/interval_tree.c (6.1).
 */
import type { Vma } from './mm-types.ts';

/** Behind all that begin at the same index, or before it. */
export function intervalTreeInsert(tree: Vma[], vma: Vma): void {
  let at = tree.length;
  while (at > 0 && (tree[at - 1] as Vma).pgoff > vma.pgoff) at -= 1;
  tree.splice(at, 0, vma);
}

/** vma_interval_tree_insert_after(): directly behind `original`, which begins at the same index and is in the tree. */
export function intervalTreeInsertAfter(tree: Vma[], vma: Vma, original: Vma): void {
  tree.splice(tree.indexOf(original) + 1, 0, vma);
}

export function intervalTreeRemove(tree: Vma[], vma: Vma): void {
  const at = tree.indexOf(vma);
  if (at >= 0) tree.splice(at, 1);
}
