/**
 * What a driver does that pins memory of a process for a device and hears of nothing afterwards: pages by a number of
 * its own, and the accesses of the device by these pages. Only beside the kernel: the wire has the calls for threads.
 *
 * Sources: drivers/vfio/vfio_iommu_type1.c, drivers/iommu/iommufd/pages.c (6.12).
 */
import type { Task } from '../task/task.ts';
import type { PageRange } from '../vocabulary/address.ts';
import type { Result } from '../vocabulary/errno.ts';
import type { PinMode } from './cpu-api.ts';

export interface DmaPins {
  /** All pages of the range, or none; of 'get', references alone. EFAULT, EINVAL as pin() of a thread. */
  pin(id: number, range: PageRange, mode: PinMode): Task<Result<number>>;
  unpin(id: number): Task<Result<void>>;
  /** Page `page` of the pin, by its frame: the first u64 as 0x-hexadecimal. EINVAL if there is none. */
  read(id: number, page: number): Task<Result<string>>;
  /** As read(). EINVAL where the pages were taken for reading. */
  write(id: number, page: number, value: bigint): Task<Result<void>>;
}
