/** What the CPU page table says while a device enters a page. */
import { findMm } from '../../../kernel/kernel.ts';
import { readPte } from '../../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteIsDevicePrivate,
  pteIsMigration,
  ptePfn,
} from '../../../kernel/memory/pte.ts';
import type { PageIndex, Pfn } from '../../../vocabulary/address.ts';
import type { WatchedDevice } from './contract.ts';

/** The CPU's entry of the mirrored mm. */
export function cpuEntry({ contract: { k }, mm }: WatchedDevice, page: PageIndex): Pte {
  const mirrored = findMm(k, mm);
  if (mirrored === undefined) return 0 as Pte;
  return readPte(mirrored.table, page);
}

/** No task has taken away what a migration, not finalized yet, has moved to `dst`. */
export function migrationStands(pte: Pte, dst: Pfn): boolean {
  return pteIsMigration(pte) || (pteIsDevicePrivate(pte) && ptePfn(pte) === dst);
}
