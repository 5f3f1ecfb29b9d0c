import type { PageIndex, PageRange } from '../../../vocabulary/address.ts';
import type { Mm } from '../../memory/mm.ts';
import { findPtePage } from '../../memory/page-table.ts';
import type { KernelChange } from '../kernel-change.ts';

/** Page-table pages that one page of the level above (PMD) names. */
const PTRS_PER_PMD = 512;

export const mprotectNotifiesByPud: KernelChange = {
  since: '6.12',
  commit: 'mm/mprotect: push mmu notifier to PUDs',
  summary:
    'mprotect() notifies the devices from the first 1 GiB region on in which there is any page table',
  overrides: () => ({ changeProtectionStart }),
};

/**
 * change_pud_range(): the first page of the range in a region where some block has a page table, or a huge entry.
 * mmap_lock for writing keeps tables from being made, so blocks that have none are not looked at.
 */
function changeProtectionStart({ table }: Mm, range: PageRange): PageIndex | 'none' {
  const regionOf = (page: PageIndex): number =>
    Math.floor(page / (table.ptrsPerPte * PTRS_PER_PMD));
  const regions = new Set<number>();
  for (const number of table.pages.keys()) {
    const block = (number * table.ptrsPerPte) as PageIndex;
    const region = regionOf(block);
    const inside = regionOf(range.first) <= region && region <= regionOf(lastPage(range));
    if (inside && findPtePage(table, block) !== 'none') regions.add(region);
  }
  if (regions.size === 0) return 'none';
  const first = Math.min(...regions) * table.ptrsPerPte * PTRS_PER_PMD;
  return (first > range.first ? first : range.first) as PageIndex;
}

function lastPage(range: PageRange): PageIndex {
  return (range.end - 1) as PageIndex;
}
