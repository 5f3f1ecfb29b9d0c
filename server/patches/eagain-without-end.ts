import type { Invalidation, InvalidationRequest, Kernel } from '../kernel/kernel.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import type { Task } from '../task/task.ts';
import { fail, ok, type Result } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/**
 * Race 25: a device refused an invalidation that may not wait, so the caller gives up. The bracket is never ended, and
 * a task that waits for the end of it waits for ever.
 */
export const eagainWithoutEnd: Patch = {
  id: 'eagain-without-end',
  provenance:
    'Linux 4.19 to 5.11, there for notifiers with start and end; fixed by "mm/mmu_notifiers: ensure range_end() is ' +
    'paired with range_start()" (20210311180057.1582638-1-seanjc@google.com)',
  summary: 'an invalidation that a device refused is not ended',
  overrides: () => ({ mmuNotifierInvalidateRangeStart: startAndGiveUp }),
};

function* startAndGiveUp(
  k: Kernel,
  mm: Mm,
  request: InvalidationRequest,
): Task<Result<Invalidation>> {
  const { invalidation, answer } = yield* k.fn.openBracket(k, mm, request);
  return answer === 'refused' ? fail('EAGAIN') : ok(invalidation);
}
