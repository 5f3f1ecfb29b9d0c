import type { Patch } from './patch.ts';
import { withoutBracket } from './without-bracket.ts';

/** Race 30: no client is told that the page is another one now; one that has just looked keeps the old page. */
export const copyWithoutBracket: Patch = {
  id: 'copy-without-bracket',
  provenance:
    'Linux before "mm: wrap calls to set_pte_at_notify with invalidate_range_start and invalidate_range_end" (2012)',
  summary: 'a copy on write changes the entry without an invalidation around it',
  overrides: (stock) => {
    const { during, override } = withoutBracket(stock);
    return {
      ...override,
      wpPageCopy: (k, request, seen) => during(k, stock.wpPageCopy(k, request, seen)),
    };
  },
};
