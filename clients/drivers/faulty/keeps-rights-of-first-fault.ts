import { pageIndex } from '../../../server/vocabulary/address.ts';
import { ok } from '../../../server/vocabulary/errno.ts';
import { DMIRROR_FUNCTIONS } from '../dmirror/dmirror.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import { entryAt } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/**
 * Race 32: the entries are a cache of translations, filled from the CPU's table, which only an invalidation empties.
 * More rights are no reason for one.
 */
export const keepsRightsOfFirstFault: DriverVariant = {
  id: 'keeps-rights-of-first-fault',
  provenance:
    'ARM SMMU without broadcast until "mmu_notifiers: call invalidate_range() when invalidating TLBs" (2023-07)',
  summary: 'goes on with the translation that it has cached when a fault has brought more rights',
  newDevice: (options) =>
    dmirrorWith(
      options,
      {
        *installFaulted(dmirror, faulted) {
          const cached = faulted.pfns.every(
            (_, at) =>
              entryAt(dmirror.pageTable, pageIndex(faulted.range.first + at)).state === 'mapped',
          );
          if (cached) return ok('installed');
          return yield* DMIRROR_FUNCTIONS.installFaulted(dmirror, faulted);
        },
      },
      'nothing',
    ),
};
