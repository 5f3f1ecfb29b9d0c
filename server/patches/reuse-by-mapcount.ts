import { mapcount } from '../kernel/memory/frames.ts';
import { ptePfn } from '../kernel/memory/pte.ts';
import type { Patch } from './patch.ts';

/** Race 48: nobody else maps the page, but somebody still reads it through a reference that he took while he did. */
export const reuseByMapcount: Patch = {
  id: 'reuse-by-mapcount',
  provenance:
    'Linux before 17839856fd58 "gup: document and work around "COW can break either way" issue" (5.8, CVE-2020-29374)',
  summary: 'do_wp_page() reuses a page that no other entry maps, whoever else has a reference',
  overrides: (stock) => ({
    *mayReuse(k, request, seen) {
      const pfn = ptePfn(seen);
      if (mapcount(k.frames, pfn) > 1) return yield* stock.mayReuse(k, request, seen);
      k.fn.pageMoveAnonRmap(k, request.vma, pfn);
      return true;
    },
  }),
};
