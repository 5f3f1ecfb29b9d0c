/**
 * Oracle 8: an anonymous page that is pinned for long stays the one that is mapped, so that a task that writes to it by
 * its frame and a task that reads the address see the same memory. Unless its process takes it away itself: what a call
 * takes is its own task's work, and excuses no task that acts meanwhile, there or in another process. No migration
 * begins with it either, for fork() asks no migration entry whether its page is pinned.
 *
 * Source: Documentation/core-api/pin_user_pages.rst; 09854ba94c6a and 70e806e4e645 (5.9) and what they led to.
 */
import type { Event } from '../../abi/event.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { hasFlag, maybeDmaPinned, PAGE_ANON } from '../../kernel/memory/frames.ts';
import { pteObject, readPte } from '../../kernel/memory/page-table.ts';
import { pteKind, ptePfn } from '../../kernel/memory/pte.ts';
import { touch } from '../../task/context.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { frameName } from './excuses.ts';
import type { Oracle, Watched } from './oracle.ts';
import { pinnedAt } from './pinned-pages.ts';
import { spaceOfThread } from './registers.ts';

/** Calls by which a process gives its own pages away. */
const TAKING = new Set(['munmap', 'mremap', 'madvise_dontneed', 'exit']);

export const longTermPins: Oracle = {
  id: 'OR8',
  name: 'long-term pins',
  asked: 'always',
  watch(watched) {
    /** Pinned frames that were mapped at a page last, by `mm page`. */
    const gone = new Map<string, Pfn>();
    /** Calls under way that take pages away, by actor and task. */
    const taking = new Map<string, Extract<Event, { kind: 'call' }>>();
    /** Address spaces whose pages were pinned: without any there is nothing to look at, and nothing to be explored. */
    const pinned = new Set<number>();
    return {
      keeps: { gone, taking, pinned },
      see(event) {
        if (event.kind === 'call' && event.function.startsWith('pin_user_pages')) {
          const mm = spaceOfThread(watched.registers, event.actor);
          if (typeof mm === 'number') pinned.add(mm);
        } else if (event.kind === 'call' && TAKING.has(event.function))
          taking.set(callerOf(event), event);
        else if (event.kind === 'return' && TAKING.has(event.function)) {
          taking.delete(callerOf(event));
        } else if (event.kind === 'pin-access') {
          checkAccess(watched, event);
        } else if (event.kind === 'pte' && pinned.has(event.mm)) {
          followEntry(watched, gone, taking, event);
        }
      },
    };
  },
};

function followEntry(
  { k, report }: Watched,
  gone: Map<string, Pfn>,
  taking: ReadonlyMap<string, Extract<Event, { kind: 'call' }>>,
  event: Extract<Event, { kind: 'pte' }>,
): void {
  const { mm: id, page, from, to } = event;
  const key = `${id} ${page}`;
  const call = taking.get(callerOf(event));
  if (call !== undefined && covers(call.args, page)) {
    gone.delete(key);
    return;
  }
  if (from.state === 'present' && isPinned(k, from.pfn as Pfn)) gone.set(key, from.pfn as Pfn);
  const pinned = gone.get(key);
  if (pinned === undefined || to.state === 'none') return;
  const stays = 'pfn' in to && to.pfn === pinned;
  if (stays && to.state !== 'migration') {
    // A migration that is refused puts the same page back.
    if (to.state === 'present') gone.delete(key);
    return;
  }
  // Whether it is pinned is asked when no walk without locks can find it any more (page_try_share_anon_rmap).
  if (stays && !isPinned(k, pinned)) return;
  gone.delete(key);
  if (!isPinned(k, pinned)) return;
  const now = 'pfn' in to ? `${to.state} frame ${frameName(to.pfn as Pfn)}` : to.state;
  const where = hexAddress(page as PageIndex);
  const text = `frame ${frameName(pinned)} is pinned for long, and ${where}, where it was mapped, is ${now} now`;
  report({ text, device: '', page: page as PageIndex });
}

/** I/O through a pin that another page has taken the place of, whoever it was and whenever. */
function checkAccess(
  { k, registers, report }: Watched,
  event: Extract<Event, { kind: 'pin-access' }>,
): void {
  const { actor, mm, pfn, mode } = event;
  const pin = pinnedAt(registers.pins, event);
  const space = k.mms.get(mm);
  if (pin === undefined || pin.at === 'nowhere' || pin.taken !== 'not') return;
  if (space === undefined || !isPinned(k, pfn as Pfn)) return;
  touch(k.context, pteObject(space.table, pin.at), 'read');
  const pte = readPte(space.table, pin.at);
  if (pteKind(pte) !== 'present' || ptePfn(pte) === pfn) return;
  const [pinned, mapped] = [frameName(pfn as Pfn), frameName(ptePfn(pte))];
  const where = hexAddress(pin.at);
  const text = `${actor} ${mode}s through its pin of ${where} frame ${pinned}, and frame ${mapped} is mapped there now`;
  report({ text, device: '', page: pin.at });
}

function callerOf({ actor, task }: Pick<Event, 'actor' | 'task'>): string {
  return `${actor} ${task}`;
}

function isPinned(k: Kernel, pfn: Pfn): boolean {
  return hasFlag(k.frames, pfn, PAGE_ANON) && maybeDmaPinned(k.frames, pfn);
}

function covers(args: Readonly<Record<string, unknown>>, page: number): boolean {
  const { first, end, to } = args;
  if (typeof first !== 'number' || typeof end !== 'number') return true;
  if (first <= page && page < end) return true;
  return typeof to === 'number' && to <= page && page < to + end - first;
}
