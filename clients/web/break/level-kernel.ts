/**
 * What no level asks of the kernel: swapoff(), khugepaged and UFFDIO_MOVE. In the page's machine they refuse, as a
 * kernel that was built without them.
 */
import type { Task } from '../../../server/task/task.ts';
import { fail, type Result } from '../../../server/vocabulary/errno.ts';

function* refused(): Task<Result<never>> {
  return fail('EINVAL');
}

export {
  refused as callSwapoff,
  refused as collapseFile,
  refused as khugepagedScan,
  refused as movePagesPte,
  refused as movePresentPte,
  refused as moveSwapPte,
  refused as retractPageTables,
  refused as retractWithoutMmapLock,
  refused as swapoff,
  refused as tryToUnuse,
  refused as unusePte,
  refused as userfaultfdMove,
  refused as userfaultfdMoveUnknown,
};
