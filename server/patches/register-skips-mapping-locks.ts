import { mmTakeAllLocks } from '../kernel/notifier/register-notifier.ts';
import type { Patch } from './patch.ts';

/**
 * Race 24: a bracket that is opened under the lock of a mapping alone has a start that the new notifier does not hear
 * of, and an end that it does.
 */
export const registerSkipsMappingLocks: Patch = {
  id: 'register-skips-mapping-locks',
  provenance:
    'Linux 6.4; fixed by "mm/mmap: prevent pagefault handler from racing with mmu_notifier registration" (6.5)',
  summary: 'a notifier is registered while others work under locks of mappings',
  overrides: () => ({ mmTakeAllLocks: (k, mm) => mmTakeAllLocks(k, mm) }),
};
