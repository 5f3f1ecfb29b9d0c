import type { Kernel, MappedAt } from '../kernel/kernel.ts';
import type { Task } from '../task/task.ts';
import { pagesFrom } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';
import { withoutBracket } from './without-bracket.ts';

/** Race 29: between unlock and callback a fault may bring another page, and the device still has the old one. */
export const notifyAfterUnlock: Patch = {
  id: 'notify-after-unlock',
  provenance:
    'mmu_notifier_invalidate_page() of Linux until 4.13, as the merge of "mmu_notifier_fixes" (2017, 4.14) explains',
  summary:
    'an unmapping by the reverse map tells the devices of a page when its entry is gone and unlocked',
  overrides: (stock) => {
    const { during, override } = withoutBracket(stock);
    function* afterwards(
      k: Kernel,
      { mm, page }: MappedAt,
      unmap: Task<'go-on' | 'stop'>,
    ): Task<'go-on' | 'stop'> {
      const outcome = yield* during(k, unmap);
      const told = yield* stock.mmuNotifierInvalidateRangeStart(k, mm, {
        event: 'clear',
        range: pagesFrom(page, 1),
        owner: 'none',
        blocking: 'blockable',
      });
      if (told.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, told.value);
      return outcome;
    }
    return {
      ...override,
      tryToMigrateOne: (k, pfn, place) =>
        afterwards(k, place, stock.tryToMigrateOne(k, pfn, place)),
      tryToUnmapOne: (k, pfn, place) => afterwards(k, place, stock.tryToUnmapOne(k, pfn, place)),
    };
  },
};
