/**
 * The OOM reaper: takes the memory of a dying process away while its threads may still run. It must not wait for
 * anybody who might need memory, so its invalidations are not blockable, and a device may refuse them.
 *
 * Source: mm/oom_kill.c, __oom_reap_task_mm() (6.1). Differs: it waits for mmap_lock, where Linux tries and comes
 * again later. Leaves out: choosing a victim and killing it.
 */
import { readLock, readUnlock } from '../../task/rwsem.ts';
import type { Task } from '../../task/task.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import type { Kernel } from '../kernel.ts';
import { markUnstable } from '../memory/address-space-stability.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { gatherBatch } from './zap-page-range.ts';

/**
 * Takes: mmap_lock for reading, PTE locks, and of the devices' locks what can be had at once. Yields: yes.
 * Returns: EAGAIN if a device refused; mappings that no device refused are reaped all the same. The reaper comes
 * again then, a limited number of times.
 */
export function* oomReapTaskMm(k: Kernel, mm: Mm): Task<Result<void>> {
  const held = yield* readLock(k.context, 'oom_reap_task_mm.mmap_lock', mm.mmapLock);
  markUnstable(k, mm);
  let refused = 0;
  for (const vma of mm.vmas.slice()) {
    if (!isShared(vma) && (yield* reapVma(k, mm, vma)) === 'refused') refused += 1;
  }
  readUnlock(k.context, held);
  return refused === 0 ? OK : fail('EAGAIN');
}

function isShared(vma: Vma): boolean {
  return vma.kind === 'anon-shared' || vma.kind === 'file-shared';
}

function* reapVma(k: Kernel, mm: Mm, vma: Vma): Task<'reaped' | 'refused'> {
  const range = { first: vma.first, end: vma.end };
  const batch = gatherBatch(k, mm);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'unmap',
    range,
    owner: 'none',
    blocking: 'non-blockable',
  });
  if (bracket.ok) {
    yield* k.fn.unmapPageRange(k, mm, vma, range, batch);
    yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  }
  yield* k.fn.finishBatch(k, mm, range, batch);
  return bracket.ok ? 'reaped' : 'refused';
}
