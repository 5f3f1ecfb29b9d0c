import { insideFunction } from './inside-function.ts';
import type { Patch } from './patch.ts';

/** Race 31: a device reads the new page at one address and the old one at another, whichever was written first. */
export const secondaryFlushAtEnd: Patch = {
  id: 'secondary-flush-at-end',
  provenance:
    'what Documentation/mm/mmu_notifier.rst warns of (0f10851ea475 "mm/mmu_notifier: avoid double notification when ' +
    'it is useless", Linux 4.15)',
  summary:
    'an entry gets its new page before the devices that walk the table have forgotten the old one',
  overrides: (stock) => {
    const { during, isHere } = insideFunction();
    return {
      *flushTlbNotify(k, mm, range) {
        yield* during(k, stock.flushTlbNotify(k, mm, range));
      },
      *mmuNotifierInvalidateRange(k, mm, range) {
        if (!isHere(k)) yield* stock.mmuNotifierInvalidateRange(k, mm, range);
      },
      invalidateRangeAtEnd: (k, mm, range) => k.fn.mmuNotifierInvalidateRange(k, mm, range),
    };
  },
};
