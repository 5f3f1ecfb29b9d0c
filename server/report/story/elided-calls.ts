/** Calls that a race is never about, or that another event tells better. */
const ELIDED: ReadonlySet<string> = new Set([
  'mmap_read_lock',
  'mmap_read_unlock',
  'find_vma',
  'mmu_interval_notifier_insert',
  'mmu_interval_notifier_remove',
  'mmu_interval_read_begin',
  'memremap_pages',
  'alloc_pages',
  'zone_device_page_init',
  'put_device_page',
  'unlock_and_put_pages',
  // The accesses themselves are events.
  'dma_read',
  'dma_write',
  'load',
  'store',
]);

/** Calls whose range belongs into the story; the others are about the page that the story is about. */
export const SYSTEM_CALLS: ReadonlySet<string> = new Set([
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'madvise',
  'fork',
  'exit',
]);

export function isElided(name: string): boolean {
  return ELIDED.has(name);
}
