import type { Task } from '../../../task/task.ts';
import type { Kernel } from '../../kernel.ts';
import type { Mm } from '../../memory/mm.ts';
import type { MergeWish } from '../../memory/vma-changes.ts';
import type { KernelChange } from '../kernel-change.ts';

export const mmapJoinsTheLowerFirst: KernelChange = {
  since: '6.12',
  commit: 'mm: avoid using vma_merge() for new VMAs (cacded5e42b9)',
  summary:
    'mmap() between two mappings asks the lower one first, and joins all three if not both have an anon_vma',
  overrides: () => ({ mmapExpand }),
};

/** vma_merge_new_range(). Holds: mmap_lock for writing. */
function* mmapExpand(k: Kernel, mm: Mm, wish: MergeWish): Task<'expanded' | 'alone'> {
  return (yield* k.fn.vmaMerge(k, mm, wish)) === 'none' ? 'alone' : 'expanded';
}
