import { type TaskContext, type TouchMode, touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import type { AnonVma, Vma } from './mm-types.ts';

export function newAnonVma(context: TaskContext, id: number, parent: AnonVma | 'self'): AnonVma {
  const made: AnonVma = {
    id,
    context,
    root: parent === 'self' ? 'self' : rootOf(parent),
    parent,
    children: parent === 'self' ? 1 : 0,
    activeVmas: 0,
    vmas: [],
    changes: 0,
  };
  if (parent !== 'self') parent.children += 1;
  return made;
}

export function rootOf(anonVma: AnonVma): AnonVma {
  return anonVma.root === 'self' ? anonVma : anonVma.root;
}

/** All that hang together are one object: as in Linux, where the root has the lock. */
export function touchReverseMap(anonVma: AnonVma, mode: TouchMode): void {
  touch(anonVma.context, objectId('rmap', 0, rootOf(anonVma).id), mode);
}

export function linkVma(anonVma: AnonVma, vma: Vma): void {
  touchReverseMap(anonVma, 'write');
  anonVma.vmas.push(vma);
  rootOf(anonVma).changes += 1;
}

export function unlinkVma(anonVma: AnonVma, vma: Vma): void {
  touchReverseMap(anonVma, 'write');
  const at = anonVma.vmas.indexOf(vma);
  if (at >= 0) anonVma.vmas.splice(at, 1);
  rootOf(anonVma).changes += 1;
}

/** The mappings in the order of the interval tree: by linear index, first linked first. */
export function walkOrder(anonVma: AnonVma): Vma[] {
  touchReverseMap(anonVma, 'read');
  return anonVma.vmas.slice().sort((a, b) => a.pgoff - b.pgoff);
}
