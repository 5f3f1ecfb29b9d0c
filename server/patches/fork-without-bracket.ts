import type { Patch } from './patch.ts';
import { withoutBracket } from './without-bracket.ts';

/** Race 34: a device that may write goes on writing to a page that parent and child share now. */
export const forkWithoutBracket: Patch = {
  id: 'fork-without-bracket',
  provenance:
    'hugetlbfs before "mm/hugetlb.c: call MMU notifiers when copying a hugetlb page range" (2013); here for all pages',
  summary:
    'fork() takes the right to write from the entries of the parent without telling the devices',
  overrides: (stock) => {
    const { during, override } = withoutBracket(stock);
    return {
      ...override,
      copyPageRange: (k, to, from, mms) => during(k, stock.copyPageRange(k, to, from, mms)),
    };
  },
};
