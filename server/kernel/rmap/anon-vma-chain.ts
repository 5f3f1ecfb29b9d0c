/**
 * Which anon_vmas a mapping is in: prepared by its first anonymous page, cloned with the mapping, forked with the
 * process. All anon_vmas of one mapping have one root, whose rwsem guards them. Source: mm/rmap.c (6.1).
 */
import { touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import { VMA_PARTS } from '../../task/object-owners.ts';
import { type HeldForWrite, writeLock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, type YieldPoint } from '../../task/task.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type FaultRequest, type Kernel, nextId } from '../kernel.ts';
import { insertIntoAnonVma, newAnonVma, removeFromAnonVma, rootOf } from '../memory/anon-vma.ts';
import type { Mm } from '../memory/mm.ts';
import type { AnonVma, Vma } from '../memory/mm-types.ts';
import { findVmaPosition, reusableAnonVma } from '../memory/vma.ts';

/** anon_vma_lock_write(). Pair with writeUnlock(). */
export function anonVmaLockWrite(k: Kernel, at: YieldPoint, anonVma: AnonVma): Task<HeldForWrite> {
  return writeLock(k.context, at, rootOf(anonVma).rwsem);
}

/** What a fault does that is about to map a page of its own. Holds: mmap_lock for read. */
export function* vmfAnonPrepare(k: Kernel, { mm, vma }: FaultRequest): Task<'prepared'> {
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  return 'prepared';
}

/** Whether a fault must prepare first. */
export function hasAnonVma(k: Kernel, mm: Mm, vma: Vma): boolean {
  touch(k.context, objectId('vma', mm.id, VMA_PARTS.anonVmas), 'read');
  return vma.anonVma !== 'none';
}

/**
 * anon_vma_prepare(): gives the mapping an anon_vma before its first anonymous page, a neighbour's where one fits. Of
 * two threads that do so at once the second finds that it is done. Who else looks holds mmap_lock for writing.
 *
 * Holds: mmap_lock for read. Takes: the anon_vma lock for writing. Yields: unless the mapping has one.
 */
export function* anonVmaPrepare(k: Kernel, mm: Mm, vma: Vma): Task<void> {
  const prepared = objectId('vma', mm.id, VMA_PARTS.anonVmas);
  touch(k.context, prepared, 'read');
  if (vma.anonVma !== 'none') return;
  const mergeable = findMergeableAnonVma(mm, vma);
  // What keeps the neighbour keeps its anon_vma until the lock is had.
  if (mergeable !== undefined) yield willRead('anon_vma_prepare.mergeable', prepared);
  const anonVma = mergeable ?? registerAnonVma(k, 'self');
  const held = yield* anonVmaLockWrite(k, 'anon_vma_prepare.anon_vma_lock', anonVma);
  touch(k.context, prepared, 'read');
  if (vma.anonVma === 'none') {
    touch(k.context, prepared, 'write');
    invariant(!anonVma.freed, 'VM3', { first: vma.first, end: vma.end });
    vma.anonVma = anonVma;
    anonVma.activeVmas += 1;
    vma.chain.push(anonVma);
    insertIntoAnonVma(anonVma, vma);
  }
  writeUnlock(k.context, held);
}

/** find_mergeable_anon_vma(): with one anon_vma for both, the neighbours may become one mapping some day. */
function findMergeableAnonVma(mm: Mm, vma: Vma): AnonVma | undefined {
  const { vmas } = mm;
  const at = findVmaPosition(vmas, vma.first);
  const next = vmas[at + 1];
  const previous = vmas[at - 1];
  const fromNext = next === undefined ? undefined : reusableAnonVma(vma, next, next);
  if (fromNext !== undefined) return fromNext;
  return previous === undefined ? undefined : reusableAnonVma(previous, vma, previous);
}

function registerAnonVma(k: Kernel, parent: AnonVma | 'self'): AnonVma {
  const made = newAnonVma(k.context, nextId(k), parent);
  k.anonVmas.set(made.id, made);
  return made;
}

/**
 * anon_vma_clone(): `to` may map whatever `from` may map. A `to` without an anon_vma of its own, as in a fork, gets one
 * that lost its process, if `from` is in one.
 *
 * Takes: the anon_vma lock for writing.
 */
export function* anonVmaClone(k: Kernel, to: Vma, from: Vma): Task<void> {
  const [one] = from.chain;
  if (one === undefined) return;
  const held = yield* anonVmaLockWrite(k, 'anon_vma_clone.anon_vma_lock', one);
  // What is there already stays behind: an importer may have been in some of them.
  to.chain.unshift(...from.chain);
  for (const anonVma of from.chain) {
    insertIntoAnonVma(anonVma, to);
    const idle = anonVma.children < 2 && anonVma.activeVmas === 0;
    if (to.anonVma === 'none' && from.anonVma !== 'none' && idle) to.anonVma = anonVma;
  }
  if (to.anonVma !== 'none') to.anonVma.activeVmas += 1;
  writeUnlock(k.context, held);
}

/**
 * anon_vma_fork(): the child's mapping joins every anon_vma of the parent's and gets one for its own pages.
 *
 * Takes: the anon_vma lock for writing, twice.
 */
export function* anonVmaFork(k: Kernel, child: Vma, parent: Vma): Task<void> {
  if (parent.anonVma === 'none') return;
  yield* k.fn.anonVmaClone(k, child, parent);
  if (child.anonVma !== 'none') return;
  const own = registerAnonVma(k, parent.anonVma);
  own.activeVmas += 1;
  child.anonVma = own;
  const held = yield* anonVmaLockWrite(k, 'anon_vma_fork.anon_vma_lock', own);
  child.chain.push(own);
  insertIntoAnonVma(own, child);
  parent.anonVma.children += 1;
  writeUnlock(k.context, held);
}

/**
 * unlink_anon_vmas(): no walk finds the mapping any more.
 *
 * Takes: the anon_vma lock for writing.
 */
export function* unlinkAnonVmas(k: Kernel, vma: Vma): Task<void> {
  // A fault that is kept out by nothing may be about to prepare it.
  touch(k.context, objectId('vma', vma.mm, VMA_PARTS.anonVmas), 'read');
  const [one] = vma.chain;
  if (one === undefined) return;
  const held = yield* anonVmaLockWrite(k, 'unlink_anon_vmas.anon_vma_lock', one);
  for (const anonVma of vma.chain) {
    removeFromAnonVma(anonVma, vma);
    if (anonVma.vmas.length > 0) continue;
    anonVma.freed = true;
    if (anonVma.parent !== 'self') anonVma.parent.children -= 1;
  }
  vma.chain.length = 0;
  if (vma.anonVma !== 'none') vma.anonVma.activeVmas -= 1;
  vma.anonVma = 'none';
  writeUnlock(k.context, held);
}
