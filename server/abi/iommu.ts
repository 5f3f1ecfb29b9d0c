/**
 * What an IOMMU does for a device that shares the page table of a process (shared virtual addressing): the device asks
 * it for translations (ATS), keeps them in a TLB of its own, and asks for pages that are not there (PRI). Only beside
 * the kernel: on the wire a device has no hardware here.
 *
 * Sources: PCI Express ATS; drivers/iommu/io-pgfault.c, iommu_sva_handle_mm() (6.12).
 */
import type { Task } from '../task/task.ts';
import type { PageIndex, PageRange } from '../vocabulary/address.ts';
import type { Result } from '../vocabulary/errno.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';

export interface Iommu {
  /** Translates and accesses, with page requests where the page table does not allow it. EFAULT if it never will. */
  read(page: PageIndex): Task<Result<PageContents>>;
  write(page: PageIndex, contents: PageContents): Task<Result<void>>;
  /** Has the translation in the device's TLB, with page requests where there is none. EFAULT as above. */
  translate(page: PageIndex, access: 'read' | 'write'): Task<Result<void>>;
  /** Reads through the device's TLB alone. ENOENT without a translation. */
  readTranslated(page: PageIndex): Task<Result<PageContents>>;
  /** The device has forgotten the range, and no access by a translation of it is under way. */
  invalidate(range: PageRange): Task<void>;
  /** The address space is gone: the same of everything, and from here on each access is refused with EFAULT. */
  detach(): Task<void>;
}
