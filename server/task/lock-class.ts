/**
 * Outer to inner. A lock may be taken while holding only locks that stand before it. Reasons for each pair:
 * docs/LOCKING.md. Two locks of one class are taken through lockNested().
 */
export const LOCK_ORDER = [
  'driver_outer_lock',
  'mmap_lock',
  'page_lock',
  'i_mmap_rwsem',
  'anon_vma_rwsem',
  'driver_lock',
  'ptl',
  'device_memory_lock',
] as const;

export type LockClass = (typeof LOCK_ORDER)[number];
