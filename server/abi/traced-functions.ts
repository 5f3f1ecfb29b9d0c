/**
 * The functions that events name, in the kernel's spelling: what a window and `observe --function` can look for.
 */

/** Of call and return. */
export const CALLED_FUNCTIONS = [
  'hmm_range_fault',
  'migrate_vma_setup',
  'migrate_vma_pages',
  'migrate_vma_finalize',
  'migrate_device_range',
  'migrate_device_pages',
  'migrate_device_finalize',
  'make_device_exclusive_range',
  'mmap',
  'munmap',
  'mprotect',
  'madvise_dontneed',
  'madvise_free',
  'madvise_pageout',
  'madvise_remove',
  'madvise_collapse',
  'truncate_inode_folio',
  'mremap',
  'swapoff',
  'fork',
  'exit',
  'mmu_notifier_register',
  'mmu_notifier_unregister',
  'mmget_not_zero',
  'mmput',
  'mmput_async',
  'pin_user_pages',
  'pin_user_pages_fast',
  'unpin_user_pages',
  'get_user_pages',
  'release_pages',
  'shrink_inactive_list',
  'migrate_pages',
  'khugepaged_scan_mm_slot',
  'userfaultfd_register',
  'userfaultfd_unregister',
  'userfaultfd_wake',
  'mfill_atomic_copy',
  'mfill_atomic_zeropage',
  'move_pages',
] as const;

/** Of callback and callback-return. */
export const CALLED_BACK_FUNCTIONS = [
  'invalidate',
  'invalidate_range_start',
  'invalidate_range_end',
  'arch_invalidate_secondary_tlbs',
  'migrate_to_ram',
  'release',
] as const;

export const TRACED_FUNCTIONS: readonly string[] = [...CALLED_FUNCTIONS, ...CALLED_BACK_FUNCTIONS];
