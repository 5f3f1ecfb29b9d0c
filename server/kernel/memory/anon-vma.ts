import { type TaskContext, type TouchMode, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { newRwSem } from '../../task/rwsem.ts';
import type { AnonVma, Vma } from './mm-types.ts';
import { intervalTreeInsert, intervalTreeRemove } from './vma-interval-tree.ts';

/** Objects of kind `rmap` and `rmap_lock` with this owner are of anon_vmas. */
const ANON_VMAS = 0;

export function newAnonVma(context: TaskContext, id: number, parent: AnonVma | 'self'): AnonVma {
  const made: AnonVma = {
    id,
    context,
    root: parent === 'self' ? 'self' : rootOf(parent),
    parent,
    children: parent === 'self' ? 1 : 0,
    activeVmas: 0,
    vmas: [],
    rwsem: newRwSem('anon_vma_rwsem', objectId('rmap_lock', ANON_VMAS, 2 * id)),
  };
  return made;
}

export function rootOf(anonVma: AnonVma): AnonVma {
  return anonVma.root === 'self' ? anonVma : anonVma.root;
}

/** What the lists of mappings are called when tasks conflict on them: one for all that have one root, and one lock. */
export function reverseMapObject(anonVma: AnonVma): ObjectId {
  return objectId('rmap', ANON_VMAS, rootOf(anonVma).id);
}

export function touchReverseMap(anonVma: AnonVma, mode: TouchMode): void {
  touch(anonVma.context, reverseMapObject(anonVma), mode);
}

/** anon_vma_interval_tree_insert(). Holds: the root's rwsem for writing. */
export function insertIntoAnonVma(anonVma: AnonVma, vma: Vma): void {
  touchReverseMap(anonVma, 'write');
  intervalTreeInsert(anonVma.vmas, vma);
}

/** anon_vma_interval_tree_remove(). Holds: the root's rwsem for writing. */
export function removeFromAnonVma(anonVma: AnonVma, vma: Vma): void {
  touchReverseMap(anonVma, 'write');
  intervalTreeRemove(anonVma.vmas, vma);
}
