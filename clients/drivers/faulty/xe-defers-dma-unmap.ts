import type { DriverVariant } from '../interface/driver-variant.ts';
import { XE_FUNCTIONS, xeWith } from '../xe/xe.ts';

/** Race 8: the GPU's own table is empty, but the way through the IOMMU is still there. */
export const xeDefersDmaUnmap: DriverVariant = {
  id: 'xe-defers-dma-unmap',
  provenance:
    'xe until "drm/xe/userptr: Unmap userptrs in the mmu notifier" (ba767b9d01a2, 20250304173342.22009-4), ' +
    'on ranges here',
  summary: 'zaps its own page table in the callback, and leaves the DMA mapping to the next fault',
  newDevice: (options) => xeWith(options, { ...XE_FUNCTIONS, unmapPages: leaveMapped }),
};

// No yield: the signature of the seam.
function* leaveMapped(): ReturnType<typeof XE_FUNCTIONS.unmapPages> {
  // The next fault maps anew.
}
