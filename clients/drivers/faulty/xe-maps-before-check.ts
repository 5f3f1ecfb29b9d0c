import type { DriverVariant } from '../interface/driver-variant.ts';
import { underNotifierLock, unmapPages } from '../xe/gpusvm.ts';
import { XE_FUNCTIONS, xeWith } from '../xe/xe.ts';
import { checkPages, dmaMap } from '../xe/xe-fault.ts';

/** Race 7: what hmm_range_fault() names has no reference, and may be somebody else's by now. */
export const xeMapsBeforeCheck: DriverVariant = {
  id: 'xe-maps-before-check',
  provenance:
    'xe until "drm/xe/hmm: Don\'t dereference struct page pointers without notifier lock" (ea3e66d280ce, ' +
    '20250228104418.44313-3; CVE-2025-21939), on ranges here',
  summary: 'maps pages for DMA before it takes the notifier lock and asks for collisions',
  newDevice: (options) =>
    xeWith(options, {
      ...XE_FUNCTIONS,
      *mapPages(svm, prange, { begun, pfns }) {
        const mapped = yield* dmaMap(svm, prange, pfns);
        if (!mapped.ok) return mapped;
        return yield* underNotifierLock(svm, 'drm_gpusvm_range_get_pages.lock', function* () {
          const refused = yield* checkPages(prange, begun);
          if (refused === 'none') return mapped;
          prange.pagesValid = false;
          yield* unmapPages(svm, prange);
          return refused;
        });
      },
    }),
};
