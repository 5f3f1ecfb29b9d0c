import type { Kernel } from '../kernel/kernel.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import type { Vma } from '../kernel/memory/mm-types.ts';
import { vmaLookup } from '../kernel/memory/vma.ts';
import { vmAreaFree, vmaEndRead, vmaStartRead } from '../kernel/memory/vma-lock.ts';
import { serial, touch, wake } from '../task/context.ts';
import { objectId } from '../task/object-id.ts';
import { type Task, waitUntil, willRead } from '../task/task.ts';
import type { PageIndex } from '../vocabulary/address.ts';

/** Whether lock_vma_under_rcu() asks if the mapping that it has locked is one still. */
export type DetachedCheck = 'checked' | 'left out';

/**
 * lock_vma_under_rcu() with the step between finding a mapping and locking it, which the kernel here takes at once: for
 * patches in which something is missing that makes it harmless.
 */
export function* lockVmaInTwoSteps(
  k: Kernel,
  mm: Mm,
  page: PageIndex,
  detached: DetachedCheck,
): Task<Vma | 'none'> {
  const { vmaLocks } = mm;
  touch(k.context, vmaLocks.walkersObject, 'write');
  vmaLocks.walkers += 1;
  const vma = yield* findAndLock(k, mm, page, detached);
  vmaLocks.walkers -= 1;
  wake(k.context, vmaLocks.walkersObject);
  return vma;
}

/** vm_area_free(): behind a grace period, which waits for those between the two steps (call_rcu). */
export function* freeBehindGrace(k: Kernel, mm: Mm, vma: Vma): Task<void> {
  touch(k.context, mm.vmaLocks.walkersObject, 'read');
  if (mm.vmaLocks.walkers === 0) {
    yield* vmAreaFree(k, mm, vma);
    return;
  }
  const done = objectId('task', 0, serial(k.context));
  const children = [{ actor: 'rcu', name: 'vm_area_free', done, task: inGrace(k, mm, vma) }];
  yield { kind: 'spawn', at: 'vm_area_free.call_rcu', detached: true, children };
}

function* inGrace(k: Kernel, mm: Mm, vma: Vma): Task<void> {
  const { vmaLocks } = mm;
  yield waitUntil('vm_area_free.grace', vmaLocks.walkersObject, () => vmaLocks.walkers === 0);
  yield* vmAreaFree(k, mm, vma);
}

function* findAndLock(
  k: Kernel,
  mm: Mm,
  page: PageIndex,
  detached: DetachedCheck,
): Task<Vma | 'none'> {
  for (;;) {
    yield willRead('lock_vma_under_rcu.mas_walk', mm.vmaLocks.object);
    const vma = vmaLookup(mm.vmas, page);
    if (vma === 'none') return 'none';
    yield willRead('lock_vma_under_rcu.start_read', mm.vmaLocks.object);
    touch(k.context, mm.vmaLocks.walkersObject, 'read');
    if (!vmaStartRead(k, mm, vma)) return 'none';
    if (page < vma.first || page >= vma.end) {
      vmaEndRead(k, mm, vma);
      return 'none';
    }
    if (detached === 'left out' || vma.life === 'attached') return vma;
    vmaEndRead(k, mm, vma);
  }
}
