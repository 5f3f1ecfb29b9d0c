/**
 * Oracle 9: a private frame is in use, or on its driver's free list, and never both. The kernel says by page_free()
 * that it is in use no more, once. What is in use and neither mapped nor migrating is oracle 4's.
 *
 * Leaves out: the free list itself, unless the driver reports it (freeFrames() of LabDevice).
 */
import { isDevicePfn, refcount } from '../../kernel/memory/frames.ts';
import { findPgmap } from '../../kernel/memory/page-references.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { frameName } from './excuses.ts';
import type { Oracle } from './oracle.ts';

export const privateFrames: Oracle = {
  id: 'OR9',
  name: 'private frames',
  asked: 'always',
  watch({ k, report }) {
    /** 'freed': its page_free() is still to come. Frames that were never handed out are not in it. */
    const states = new Map<Pfn, 'in use' | 'freed' | 'free'>();
    const complain = (device: string, text: string): void =>
      report({ text: `${device}: ${text}`, device, page: 0 as PageIndex });
    const ownerOf = (pfn: Pfn): string => {
      const pgmap = findPgmap(k, pfn);
      return pgmap === 'none' ? 'no device' : pgmap.device;
    };
    return {
      keeps: { states },
      see(event) {
        if (event.kind !== 'frame-alloc' && event.kind !== 'frame-free') return;
        const pfn = event.pfn as Pfn;
        if (!isDevicePfn(pfn)) return;
        if (event.kind === 'frame-free') states.set(pfn, 'freed');
        else {
          if (states.get(pfn) === 'freed') {
            complain(ownerOf(pfn), `frame ${frameName(pfn)} is handed out before its page_free()`);
          }
          states.set(pfn, 'in use');
        }
      },
      pageFreed(device, pfn) {
        const state = states.get(pfn) ?? 'free';
        if (state === 'free') {
          complain(device, `page_free() of frame ${frameName(pfn)} comes twice`);
        } else if (state === 'in use') {
          complain(device, `page_free() of frame ${frameName(pfn)} comes while it is in use`);
        } else states.set(pfn, 'free');
      },
      atRest({ freeFrames }) {
        const found: string[] = [];
        for (const [pfn, state] of states) {
          if (state === 'freed') {
            found.push(`page_free() of frame ${frameName(pfn)} of ${ownerOf(pfn)} never came`);
          }
          const list = freeFrames.get(ownerOf(pfn));
          if (list === undefined) continue;
          const times = list.filter((free) => free === pfn).length;
          const name = `frame ${frameName(pfn)} of ${ownerOf(pfn)}`;
          if (refcount(k.frames, pfn) > 0 && times > 0) {
            found.push(`${name} is in use, and on the free list of its driver`);
          } else if (state === 'free' && times !== 1) {
            const what = times === 0 ? 'is not' : `is ${times} times`;
            found.push(
              `${name} ${what} on the free list of its driver, whose page_free() was called for it`,
            );
          }
        }
        return found;
      },
    };
  },
};
