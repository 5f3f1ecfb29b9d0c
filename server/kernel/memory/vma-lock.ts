/**
 * Locks of single mappings: a reader holds one mapping still without mmap_lock; a writer holds mmap_lock for writing,
 * waits for the readers of what it changes, and keeps new ones out until he lets go of mmap_lock.
 *
 *   page fault                          munmap
 *     finds the mapping, locks it
 *                                         mmap_lock for writing
 *     fills the entry                     vma_start_write: waits
 *     lets go of the mapping
 *                                         takes the mapping out of the list, empties its entries
 *     finds none
 *
 * Source: include/linux/mm.h, include/linux/mmap_lock.h, mm/memory.c, kernel/fork.c (6.12). Rules: VM1, VM2.
 * Differs: the locks of one mm are one object for an explorer; the look at mm_lock_seq is a look at whether the mapping
 * is locked, which is the same as long as the count does not overflow. Leaves out: the order of these locks with others
 * is not watched.
 */
import { type TaskContext, touch, wake } from '../../task/context.ts';
import { type Task, waitUntil, willRead } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { vmaLookup } from './vma.ts';

/** vma_start_read(): waits for nobody. False if some writer has the mapping, or waits for it. Not a yield point. */
export function vmaStartRead({ context }: Kernel, { vmaLocks }: Mm, vma: Vma): boolean {
  touch(context, vmaLocks.object, 'read');
  invariant(vma.life !== 'freed', 'VM1', { first: vma.first, end: vma.end });
  if (vmaLocks.written.has(vma)) return false;
  touch(context, vmaLocks.readersObject, 'acquire-read');
  vmaLocks.readers.push(vma);
  return true;
}

/** vma_end_read(). Not a yield point. */
export function vmaEndRead({ context }: { readonly context: TaskContext }, mm: Mm, vma: Vma): void {
  const { readers, readersObject } = mm.vmaLocks;
  readers.splice(readers.indexOf(vma), 1);
  wake(context, readersObject, 'release-read');
}

/**
 * lock_vma_under_rcu(): the mapping that covers `page`, held still; 'none' if there is none or a writer has it. Finding
 * it and locking it is one step: what Linux finds changed between the two it looks for again, or gives up.
 */
export function* lockVmaUnderRcu(k: Kernel, mm: Mm, page: PageIndex): Task<Vma | 'none'> {
  yield willRead('lock_vma_under_rcu.trylock', mm.vmaLocks.object);
  const vma = vmaLookup(mm.vmas, page);
  return vma !== 'none' && vmaStartRead(k, mm, vma) ? vma : 'none';
}

/**
 * vma_start_write(): waits for the readers of `vma`; later ones fail, until mmap_lock is let go of. Where there are
 * none it is no yield point.
 *
 * Holds: mmap_lock for writing.
 */
export function* vmaStartWrite({ context }: Kernel, { vmaLocks }: Mm, vma: Vma): Task<void> {
  const { readers, readersObject, written, object } = vmaLocks;
  if (written.has(vma)) return;
  // As one that waits in a semaphore, he keeps out who comes behind him.
  touch(context, object, 'write');
  written.add(vma);
  // How far this step goes depends on it.
  touch(context, readersObject, 'read');
  if (readers.includes(vma)) {
    yield waitUntil('vma_start_write.wait', readersObject, () => !readers.includes(vma));
  }
  touch(context, readersObject, 'acquire-write');
  wake(context, readersObject, 'release-write');
}

/** vma_end_write_all(). Holds: mmap_lock for writing, and lets go of it next. Not a yield point. */
export function vmaEndWriteAll(context: TaskContext, { vmaLocks }: Mm): void {
  touch(context, vmaLocks.object, 'write');
  vmaLocks.written.clear();
}

/**
 * vm_area_free(): nobody has the mapping locked by then. Linux waits for a grace period, for who has found the mapping
 * and has not locked it yet; here that is one step. Not a yield point.
 */
export function* vmAreaFree({ context }: Kernel, { vmaLocks }: Mm, vma: Vma): Task<void> {
  touch(context, vmaLocks.walkersObject, 'write');
  touch(context, vmaLocks.readersObject, 'read');
  invariant(!vmaLocks.readers.includes(vma), 'VM2', { first: vma.first, end: vma.end });
  vma.life = 'freed';
}

/** What an explorer must know of who has locked what for writing. */
export function vmaWritersText(mm: Mm): string {
  const written = [...mm.vmaLocks.written].map(({ first, end }) => `${first}-${end}`);
  return written.sort().join();
}

/** And of the readers. */
export function vmaReadersText(mm: Mm): string {
  const readers = mm.vmaLocks.readers.map(({ first }) => first);
  return readers.sort().join();
}
