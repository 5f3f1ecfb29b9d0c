import type { PageIndex, PageRange } from '../../../vocabulary/address.ts';
import type { Mm } from '../../memory/mm.ts';
import { firstOfRegion, pmdTablesOf, regionOfPage } from '../../memory/page-table.ts';
import type { KernelChange } from '../kernel-change.ts';

export const mprotectNotifiesByPud: KernelChange = {
  since: '6.12',
  commit: 'mm/mprotect: push mmu notifier to PUDs',
  summary:
    'mprotect() notifies the devices from the first 1 GiB region on in which there is any page table',
  overrides: () => ({ changeProtectionStart }),
};

/**
 * change_pud_range(): the first page of the range in a region that has a PMD table, whether or not that names anything:
 * munmap() leaves it where another mapping reaches into the region.
 */
function changeProtectionStart({ table }: Mm, range: PageRange): PageIndex | 'none' {
  const [from, to] = [regionOfPage(table, range.first), regionOfPage(table, lastPage(range))];
  const regions = [...pmdTablesOf(table)].filter((region) => from <= region && region <= to);
  if (regions.length === 0) return 'none';
  const first = firstOfRegion(table, Math.min(...regions));
  return (first > range.first ? first : range.first) as PageIndex;
}

function lastPage(range: PageRange): PageIndex {
  return (range.end - 1) as PageIndex;
}
