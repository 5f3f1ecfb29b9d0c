/**
 * get_user_pages(): faults a range in and takes a reference on each page. Source: mm/gup.c (6.1).
 *
 * Leaves out: FOLL_FORCE, unsharing for read-only pins (no caller here asks for one).
 */

import { enterLoop, keepOnly, touch } from '../../task/context.ts';
import type { Task } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import type { FaultAccess, Kernel } from '../kernel.ts';
import { getPage, PIN_BIAS, ZERO_PFN } from '../memory/frames.ts';
import { type Mm, pinnedObject } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { pteIsZeroPage, ptePfn, ptePresent, pteProtNone, pteWrite } from '../memory/pte.ts';
import { lockedPte, lockToLook, unlockPte } from '../memory/pte-lock.ts';
import { vmaLookup } from '../memory/vma.ts';

/** A page that is still not there after so many faults is given up as EFAULT; in practice a few suffice. */
const FAULTS_MAX = 1_000;

/**
 * `how` 'pin' counts PIN_BIAS a page (FOLL_PIN). Frames come in address order.
 *
 * Holds: mmap_lock for read, and calls waitForMonitor() when it has let go of it. Takes: what faults take. Yields: yes.
 * Returns: fewer frames than pages if a later page cannot be had; EFAULT if the first cannot.
 */
export function* getUserPages(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  access: FaultAccess,
  how: 'get' | 'pin',
): Task<Result<Pfn[]>> {
  const frames: Pfn[] = [];
  if (how === 'pin') {
    touch(k.context, pinnedObject(mm.id), 'write');
    mm.hasPinned = true;
  }
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const vma = vmaLookup(mm.vmas, page);
    const pfn = vma === 'none' ? 'none' : yield* getOne(k, mm, vma, page, access, how);
    if (pfn === 'none') return frames.length > 0 ? ok(frames) : fail('EFAULT');
    frames.push(pfn);
  }
  return ok(frames);
}

function* getOne(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  access: FaultAccess,
  how: 'get' | 'pin',
): Task<Pfn | 'none'> {
  if (vma.prot === 'none' || (access === 'write' && vma.prot !== 'rw')) return 'none';
  const loop = pinnedObject(mm.id);
  enterLoop(k.context, loop);
  for (let tries = 0; tries < FAULTS_MAX; tries += 1) {
    keepOnly(k.context, loop, '');
    const at = yield* lockToLook(k, 'follow_page_pte.ptl', mm, vma, page);
    const pte = lockedPte(at);
    if (ptePresent(pte) && !pteProtNone(pte) && (access === 'read' || pteWrite(pte))) {
      const pfn = pteIsZeroPage(pte) ? ZERO_PFN : ptePfn(pte);
      getPage(k.frames, pfn, how === 'pin' ? PIN_BIAS : 1);
      unlockPte(k, at);
      return pfn;
    }
    unlockPte(k, at);
    keepOnly(k.context, loop, '');
    k.emit({ kind: 'fault', mm: mm.id, page, mode: access });
    const outcome = yield* k.fn.handleMmFault(k, { mm, vma, page, access, retry: 'allowed' });
    if (outcome !== 'done' && outcome !== 'retry') return 'none';
  }
  return 'none';
}
