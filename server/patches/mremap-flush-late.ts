import { insideFunction } from './inside-function.ts';
import type { Patch } from './patch.ts';

/** Race 13: whoever frees the page by its new place flushes the new address; some CPU remembers the old one. */
export const mremapFlushLate: Patch = {
  id: 'mremap-flush-late',
  provenance:
    'Linux until 4.18; fixed by eb66ae030829 "mremap: properly flush TLB before releasing the page" ' +
    '(4.19, CVE-2018-18281)',
  summary: 'mremap() flushes the old place only after it has let go of the lock of the new one',
  overrides: (stock) => {
    const { during, isHere } = insideFunction();
    return {
      *movePtes(k, mm, range, to, copied) {
        yield* during(k, stock.movePtes(k, mm, range, to, copied));
        yield* stock.flushTlbRange(k, mm, range);
      },
      *flushTlbRange(k, mm, range) {
        if (!isHere(k)) yield* stock.flushTlbRange(k, mm, range);
      },
    };
  },
};
