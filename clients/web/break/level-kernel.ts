/**
 * What no level asks of the kernel: swapoff(), khugepaged, MADV_COLLAPSE, holes in files, compaction, UFFDIO_MOVE and
 * huge pages.
 * In the page's machine they refuse, as a kernel that was built without them. Nor does it compare states.
 */
import type { Patch } from '../../../server/patches/patch.ts';
import type { Task } from '../../../server/task/task.ts';
import { fail, type Result } from '../../../server/vocabulary/errno.ts';

function* refused(): Task<Result<never>> {
  return fail('EINVAL');
}

const noPatch: Patch = {
  id: 'forgetting',
  provenance: '',
  summary: '',
  overrides: () => ({}),
};

/** No level has huge pages. */
function mayBeHuge(): false {
  return false;
}

export {
  mayBeHuge,
  noPatch as forgetting,
  refused as callSwapoff,
  refused as collapseAndFreePmd,
  refused as collapseFile,
  refused as collapsePteMappedThp,
  refused as compactPages,
  refused as doHugePmd,
  refused as doHugePmdAnonymousPage,
  refused as isolateLargeFolios,
  refused as khugepagedScan,
  refused as madviseCollapse,
  refused as madviseFreeHugePmd,
  refused as madviseRemove,
  refused as migrateFolioMove,
  refused as migrateFolioUnmap,
  refused as migratePages,
  refused as migratePagesBatch,
  refused as movePagesPte,
  refused as movePresentPte,
  refused as moveSwapPte,
  refused as pmdpCollapseFlush,
  refused as pmdpInvalidate,
  refused as removeMigrationLarge,
  refused as removeMigrationPmd,
  refused as retractPageTables,
  refused as retractWithoutMmapLock,
  refused as setPmdMigrationEntry,
  refused as shmemPunchHole,
  refused as swapoff,
  refused as truncateInodeFolio,
  refused as tryToMigrateLarge,
  refused as tryToUnuse,
  refused as unmapMappingPages,
  refused as unusePte,
  refused as userfaultfdMove,
  refused as userfaultfdMoveUnknown,
};
