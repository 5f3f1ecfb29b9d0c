import type { Vma } from './vma.ts';

/**
 * struct anon_vma: from an anonymous page to the mappings that may map it. Pages of a process sit in its own;
 * a forked child's mappings are linked into the parent's too, so that the walk from an inherited page finds both.
 *
 * Source: mm/rmap.c (6.1).
 */
export interface AnonVma {
  readonly id: number;
  /** The oldest ancestor; itself if it has none. Pages that are not exclusive belong there. */
  readonly root: AnonVma | 'self';
  readonly parent: AnonVma | 'self';
  children: number;
  /** Mappings whose anonVma this is. */
  activeVmas: number;
  /** In the order in which they were linked. */
  readonly vmas: Vma[];
}

export function newAnonVma(id: number, parent: AnonVma | 'self'): AnonVma {
  const made: AnonVma = {
    id,
    root: parent === 'self' ? 'self' : rootOf(parent),
    parent,
    children: parent === 'self' ? 1 : 0,
    activeVmas: 0,
    vmas: [],
  };
  if (parent !== 'self') parent.children += 1;
  return made;
}

export function rootOf(anonVma: AnonVma): AnonVma {
  return anonVma.root === 'self' ? anonVma : anonVma.root;
}

export function linkVma(anonVma: AnonVma, vma: Vma): void {
  anonVma.vmas.push(vma);
}

export function unlinkVma(anonVma: AnonVma, vma: Vma): void {
  const at = anonVma.vmas.indexOf(vma);
  if (at >= 0) anonVma.vmas.splice(at, 1);
}

/** The mappings in the order of the interval tree: by linear index, first linked first. */
export function walkOrder(anonVma: AnonVma): Vma[] {
  return anonVma.vmas.slice().sort((a, b) => a.pgoff - b.pgoff);
}
