import { HMM_PFN_VALID, hmmPfnHas, hmmPfnToPfn } from '../../../server/abi/hmm-pfn.ts';
import { DMIRROR_FUNCTIONS } from '../dmirror/dmirror.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 7: what hmm_range_fault() names is referenced by nobody. Before the check it may be free, or another's. */
export const touchesPageBeforeRetry: DriverVariant = {
  id: 'touches-page-before-retry',
  provenance:
    'xe until "drm/xe/hmm: Don\'t dereference struct page pointers without notifier lock" (ea3e66d280ce, ' +
    'CVE-2025-21939, 20250228104418.44313-3)',
  summary:
    'marks the pages of a fault dirty before it asks under the driver lock whether they are still the ones',
  newDevice: (options) =>
    dmirrorWith(
      options,
      {
        *installFaulted(dmirror, faulted) {
          for (const pfn of faulted.pfns) {
            if (hmmPfnHas(pfn, HMM_PFN_VALID)) yield* options.setPageDirtyLock(hmmPfnToPfn(pfn));
          }
          return yield* DMIRROR_FUNCTIONS.installFaulted(dmirror, faulted);
        },
      },
      'nothing',
    ),
};
