import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { PAGE_DIRTY, setFlag } from './frames.ts';
import { assertInUse, lockPage, unlockPage } from './page-lock.ts';

/**
 * set_page_dirty_lock(): what a driver calls for a page that its device has written to. Needs a reference (FR6).
 *
 * Takes: the page lock, so not under a lock that an invalidate callback takes. Source: mm/page-writeback.c (6.1).
 */
export function* setPageDirtyLock(k: Kernel, pfn: Pfn): Task<void> {
  yield* lockPage(k, 'set_page_dirty_lock.lock', pfn);
  assertInUse(k, pfn);
  setFlag(k.frames, pfn, PAGE_DIRTY);
  unlockPage(k, pfn);
}
