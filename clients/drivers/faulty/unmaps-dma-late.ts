import { mmuIntervalSetSeq } from '../../../server/abi/device-api.ts';
import { unlock } from '../../../server/task/lock.ts';
import { willWrite } from '../../../server/task/task.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import { lockAsAllowed } from '../dmirror/dmirror-invalidate.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/**
 * Race 8: the IOMMU still leads to the page when the callback has returned. The device's entries stand for what the
 * IOMMU maps: nothing else keeps a device that has gone astray from a page.
 */
export const unmapsDmaLate: DriverVariant = {
  id: 'unmaps-dma-late',
  provenance:
    'xe until "drm/xe/userptr: Unmap userptrs in the mmu notifier" (ba767b9d01a2, 20250304173342.22009-4)',
  summary: 'marks a range as invalid in the callback, and leaves its DMA mapping to the next fault',
  newDevice: (options) => {
    const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
    return {
      callbacks: {
        ...dmirrorDriver(dmirror),
        *invalidate(sub, range, seq) {
          const held = yield* lockAsAllowed(dmirror, range);
          if (held === 'busy') return 'again';
          yield willWrite('xe_vma_userptr_invalidate.seq', sub.object);
          mmuIntervalSetSeq(sub, seq);
          unlock(dmirror.context, held);
          return 'done';
        },
      },
      open: () => dmirrorOpen(dmirror),
      perform: (verb) => performLabVerb(dmirror, verb),
      contentOf: (object) => contentOfDmirror(dmirror, object),
    };
  },
};
