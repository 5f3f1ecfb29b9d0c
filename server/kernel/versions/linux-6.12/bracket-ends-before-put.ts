import type { Task } from '../../../task/task.ts';
import type { CopyEnd, Kernel, LockedPte } from '../../kernel.ts';
import { putPage } from '../../memory/page-references.ts';
import { unlockPte } from '../../memory/pte-lock.ts';
import type { KernelChange } from '../kernel-change.ts';

/** Between the two, others see the old page with one reference more: a migration of it gives up, for example. */
export const bracketEndsBeforePut: KernelChange = {
  since: '6.12 at the latest',
  commit: 'wp_page_copy() of 6.1.192 against 6.12.117; the commit was not looked up',
  summary: 'wp_page_copy() ends its bracket before it drops the page that is not mapped any more',
  overrides: () => ({ wpPageCopyEnd }),
};

/** Holds: the PTE lock in `at`, which it releases. */
function* wpPageCopyEnd(k: Kernel, at: LockedPte, { bracket, unused }: CopyEnd): Task<void> {
  unlockPte(k, at);
  if (bracket !== 'none') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket);
  if (unused !== 'zero') yield* putPage(k, unused);
}
