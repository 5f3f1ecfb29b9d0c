/** MMF_UNSTABLE: the OOM reaper was here, so what reads as empty may have been data. Source: mm/oom_kill.c (6.1). */
import { touch } from '../../task/context.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';

/** From here on nothing may be filled in any more. */
export function markUnstable(k: Kernel, mm: Mm): void {
  touch(k.context, mm.unstableObject, 'write');
  mm.unstable = true;
}

/** check_stable_address_space(). Without the PTE lock of the entry to be filled, the reaper may come in between. */
export function isStable(k: Kernel, mm: Mm): boolean {
  touch(k.context, mm.unstableObject, 'read');
  return !mm.unstable;
}
