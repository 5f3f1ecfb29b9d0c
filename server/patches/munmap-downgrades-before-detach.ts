import { mmapWriteDowngrade, mmapWriteUnlock } from '../kernel/memory/mmap-lock.ts';
import { takeOutOfList } from '../kernel/memory/vma-adjust.ts';
import { gatherVmas, removeMappings } from '../kernel/syscalls/mmap.ts';
import { readUnlock, writeLock } from '../task/rwsem.ts';
import { OK } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/** A fault that comes behind the zapping finds the mapping still, and fills in an entry that nobody takes away. */
export const munmapDowngradesBeforeDetach: Patch = {
  id: 'munmap-downgrades-before-detach',
  provenance:
    'the order that dd2283f2605e "mm: mmap: zap pages with read mmap_sem in munmap" (2018-10, 4.20) keeps; earlier ' +
    'versions of it zapped mappings that faults could still find, and marked them for that (VM_DEAD)',
  summary: 'munmap() lets readers of mmap_lock in before it has taken its mappings out of the list',
  overrides: () => ({
    *munmap(k, mm, range) {
      const held = yield* writeLock(k.context, 'munmap.mmap_lock', mm.mmapLock);
      const vmas = yield* gatherVmas(k, mm, range);
      if (vmas.length === 0) {
        mmapWriteUnlock(k.context, mm, held);
        return OK;
      }
      const region = { vmas, range, floor: range.first, ceiling: range.end };
      const reader = mmapWriteDowngrade(k.context, mm, held);
      yield* k.fn.unmapRegion(k, mm, region);
      takeOutOfList(k, mm, vmas);
      yield* removeMappings(k, mm, region);
      readUnlock(k.context, reader);
      return OK;
    },
  }),
};
