import type { Patch } from './patch.ts';
import { withoutVmaLock } from './without-vma-lock.ts';

/**
 * fork() has taken the right to write away, and other CPUs have it in their TLBs until it flushes them at its end. A
 * fault in between copies the page and maps the copy: what such a CPU writes meanwhile goes to the page that is now the
 * child's.
 */
export const forkWithoutVmaLocks: Patch = {
  id: 'fork-without-vma-locks',
  provenance:
    'Linux 6.4; fixed by fb49c455323f "fork: lock VMAs of the parent process when forking" (6.4.3)',
  summary: 'fork() does not lock the mappings that it copies, so that page faults run beside it',
  overrides(stock) {
    const { during, override } = withoutVmaLock(stock);
    return { ...override, fork: (k, parent) => during(k, stock.fork(k, parent)) };
  },
};
