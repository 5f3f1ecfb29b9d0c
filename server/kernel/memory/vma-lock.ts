/**
 * Locks of single mappings (vm_lock, vm_refcnt): a reader holds one mapping still without mmap_lock; a writer holds
 * mmap_lock and waits for the readers of what it changes. Only kernels whose functions use them have them.
 *
 * Source: include/linux/mmap_lock.h, mm/mmap_lock.c (6.17). Differs: the locks of one mm are one object for an
 * explorer. Leaves out: the order of these locks with others is not watched.
 */
import { type TaskContext, touch, wake } from '../../task/context.ts';
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { vmaLookup } from './vma.ts';

/** Some writer has it, and has not let go of mmap_lock. */
function writeLocked({ mmapLock, vmaLocks }: Mm, vma: Vma): boolean {
  return mmapLock.writer !== 'none' && vmaLocks.written.get(vma) === mmapLock.writes;
}

/** lock_vma_under_rcu(): the mapping that covers `page`, held still; 'none' if there is none or a writer has it. */
export function* lockVmaUnderRcu(k: Kernel, mm: Mm, page: PageIndex): Task<Vma | 'none'> {
  yield willWrite('lock_vma_under_rcu.trylock', mm.vmaLocks.object);
  touch(k.context, mm.mmapLock.object, 'read');
  const vma = vmaLookup(mm.vmas, page);
  if (vma === 'none' || writeLocked(mm, vma)) return 'none';
  mm.vmaLocks.readers.push(vma);
  return vma;
}

/** vma_end_read(). Not a yield point. */
export function vmaEndRead({ context }: { readonly context: TaskContext }, mm: Mm, vma: Vma): void {
  const { readers, object } = mm.vmaLocks;
  readers.splice(readers.indexOf(vma), 1);
  wake(context, object);
}

/** vma_start_write(): waits for the readers of `vma`; later ones fail. Holds: mmap_lock for writing. */
export function* vmaStartWrite(mm: Mm, vma: Vma): Task<void> {
  const { readers, written, object } = mm.vmaLocks;
  if (writeLocked(mm, vma)) return;
  yield waitUntil('vma_start_write.wait', object, () => !readers.includes(vma));
  for (const [other, hold] of written) if (hold !== mm.mmapLock.writes) written.delete(other);
  written.set(vma, mm.mmapLock.writes);
}

/** What an explorer must know of them. */
export function vmaLocksText(mm: Mm): string {
  const readers = mm.vmaLocks.readers.map(({ first }) => first).sort((a, b) => a - b);
  const held = [...mm.vmaLocks.written.keys()].filter((vma) => writeLocked(mm, vma));
  return `${readers.join()} ${held.map(({ first, end }) => `${first}-${end}`).join()}`;
}
