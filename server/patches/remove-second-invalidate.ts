import { migratePageAt } from '../kernel/hmm/migrate-vma-pages.ts';
import type { Kernel, Migration } from '../kernel/kernel.ts';
import type { Task } from '../task/task.ts';
import type { Patch } from './patch.ts';

/**
 * The patch that mmrace began with: migrate_vma_setup() has invalidated the range already and a zero page cannot
 * change, so the second bracket looked needless. It is not: see migrateVmaPages().
 */
export const removeSecondInvalidate: Patch = {
  id: 'remove-second-invalidate',
  provenance:
    'linux-mm, 2020-07-23, "[PATCH v4 6/6] mm/migrate: remove range invalidation in migrate_vma_pages()" ' +
    '(20200723223004.9586-1-rcampbell@nvidia.com); withdrawn 2020-07-31 after ' +
    '20200731191543.GJ24045@ziepe.ca',
  summary: 'migrate_vma_pages() fills empty and zero-page entries without telling other devices',
  overrides: () => ({ migrateVmaPages: migrateVmaPagesWithoutBracket }),
};

function* migrateVmaPagesWithoutBracket(k: Kernel, migration: Migration): Task<void> {
  for (let index = 0; index < migration.src.length; index += 1) {
    yield* migratePageAt(k, migration, index);
  }
}
