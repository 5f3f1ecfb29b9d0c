import { migratePagesBatch } from '../../reclaim/migrate-pages.ts';
import type { KernelChange } from '../kernel-change.ts';

export const migratePagesInBatches: KernelChange = {
  since: '6.3',
  commit: 'migrate_pages: batch flushing TLB (7e12beb8ca2a)',
  summary: 'migrate_pages() unmaps all pages, flushes the TLBs once, and moves them then',
  overrides: () => ({ migratePages: migratePagesBatch }),
};
