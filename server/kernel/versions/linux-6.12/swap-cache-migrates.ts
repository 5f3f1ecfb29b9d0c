import type { Task } from '../../../task/task.ts';
import type { Pfn } from '../../../vocabulary/address.ts';
import type { Kernel } from '../../kernel.ts';
import { hasFlag, PAGE_FILE, PAGE_SWAPCACHE } from '../../memory/frames.ts';
import type { KernelChange } from '../kernel-change.ts';

export const swapCacheMigrates: KernelChange = {
  since: '6.6',
  commit: 'mm/migrate_device: try to handle swapcache pages',
  summary: 'a page in the swap cache leaves it for a device, if no entry names its slot any more',
  overrides: () => ({ mayMigrateToDevice }),
};

function* mayMigrateToDevice(k: Kernel, from: Pfn): Task<boolean> {
  if (hasFlag(k.frames, from, PAGE_FILE)) return false;
  if (!hasFlag(k.frames, from, PAGE_SWAPCACHE)) return true;
  return (yield* k.fn.folioFreeSwap(k, from)) === 'freed';
}
