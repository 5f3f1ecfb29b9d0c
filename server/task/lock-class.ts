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

type StockLockClass = (typeof LOCK_ORDER)[number];

/**
 * `page_lock/range_lock` is a class of user code: taken inside page_lock and outside all that stands behind it in
 * LOCK_ORDER. `page_lock/range_lock/entry_lock` goes inside that; two that stand side by side do not nest.
 */
export type LockClass = StockLockClass | `${StockLockClass}/${string}`;
