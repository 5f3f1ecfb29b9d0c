import { addMapcount } from '../kernel/memory/frames.ts';
import { pteIsDeviceExclusive, ptePfn } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import type { Patch } from './patch.ts';

/** Race 37: a page that nothing maps has a reference that nobody can explain, so nothing can move or reclaim it. */
export const exclusiveDropsMapcount: Patch = {
  id: 'exclusive-drops-mapcount',
  provenance:
    'Linux 5.15 to 6.14; fixed by the series "mm: fixes for device-exclusive entries" (2025-01-29, ' +
    '20250129115411.2077152-1-david@redhat.com, 6.15)',
  summary:
    'make_device_exclusive() keeps the reference of the entry, but does not count the page as mapped',
  overrides: (stock) => ({
    *pageMakeDeviceExclusiveOne(k, at, pfn) {
      yield* stock.pageMakeDeviceExclusiveOne(k, at, pfn);
      k.fn.pageRemoveRmap(k, pfn);
    },
    restoreExclusivePte(k, at) {
      addMapcount(k.frames, ptePfn(lockedPte(at)), 1);
      stock.restoreExclusivePte(k, at);
    },
    *zapPte(k, at, batch) {
      const seen = lockedPte(at);
      // What the stock kernel counts down.
      if (pteIsDeviceExclusive(seen)) addMapcount(k.frames, ptePfn(seen), 1);
      yield* stock.zapPte(k, at, batch);
    },
  }),
};
