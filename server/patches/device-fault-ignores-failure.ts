import { OK } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/** The thread faults again, and the device fails again: instead of SIGBUS there is no end. */
export const deviceFaultIgnoresFailure: Patch = {
  id: 'device-fault-ignores-failure',
  provenance:
    'constructed; do_swap_page() (mm/memory.c) returns what migrate_to_ram() has returned',
  summary: 'a fault on device memory does not look at what migrate_to_ram() returned',
  overrides: (stock) => ({
    *migrateToRam(k, mm, page, pfn) {
      yield* stock.migrateToRam(k, mm, page, pfn);
      return OK;
    },
  }),
};
