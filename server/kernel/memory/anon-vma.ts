import { type TaskContext, type TouchMode, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { RMAP_OWNERS } from '../../task/object-owners.ts';
import { newRwSem } from '../../task/rwsem.ts';
import type { AnonVma, Vma } from './mm-types.ts';
import { intervalTreeInsert, intervalTreeRemove } from './vma-interval-tree.ts';

export function newAnonVma(context: TaskContext, id: number, parent: AnonVma | 'self'): AnonVma {
  const made: AnonVma = {
    id,
    context,
    root: parent === 'self' ? 'self' : rootOf(parent),
    parent,
    children: parent === 'self' ? 1 : 0,
    activeVmas: 0,
    vmas: [],
    freed: false,
    rwsem: newRwSem('anon_vma_rwsem', objectId('rmap_lock', RMAP_OWNERS.anonVmas, 2 * id)),
  };
  return made;
}

export function rootOf(anonVma: AnonVma): AnonVma {
  return anonVma.root === 'self' ? anonVma : anonVma.root;
}

/** What the lists of mappings are called when tasks conflict on them: one for all that have one root, and one lock. */
export function reverseMapObject(anonVma: AnonVma): ObjectId {
  return objectId('rmap', RMAP_OWNERS.anonVmas, rootOf(anonVma).id);
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
