/**
 * What no level asks of the kernel: swapoff(), khugepaged, MADV_COLLAPSE, holes in files, compaction and UFFDIO_MOVE.
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

export {
  noPatch as forgetting,
  refused as callSwapoff,
  refused as collapseAndFreePmd,
  refused as collapseFile,
  refused as collapsePteMappedThp,
  refused as compactPages,
  refused as khugepagedScan,
  refused as madviseCollapse,
  refused as madviseRemove,
  refused as migrateFolioMove,
  refused as migrateFolioUnmap,
  refused as migratePages,
  refused as migratePagesBatch,
  refused as movePagesPte,
  refused as movePresentPte,
  refused as moveSwapPte,
  refused as pmdpCollapseFlush,
  refused as retractPageTables,
  refused as retractWithoutMmapLock,
  refused as shmemPunchHole,
  refused as swapoff,
  refused as truncateInodeFolio,
  refused as tryToUnuse,
  refused as unmapMappingPages,
  refused as unusePte,
  refused as userfaultfdMove,
  refused as userfaultfdMoveUnknown,
};
