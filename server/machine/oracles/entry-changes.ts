/**
 * Oracle 12: what Linux asserts of the entries that it changes, where it is built with CONFIG_DEBUG_VM. A migration
 * entry stands only while the page that it names is locked, and becomes that page again or the page's destination; what
 * leaves its entry is no process's alone any more; a device is asked for a page under mmap_lock; nothing new enters an
 * anonymous mapping that has been reaped.
 *
 * Leaves out: mappings of files that were reaped, which do_fault_around() fills again without asking, and places that
 * UFFDIO_MOVE fills with a page that the reaper has not come to yet (move_pages_pte() does not ask either).
 *
 * Source: include/linux/swapops.h, pfn_swap_entry_to_page(); mm/rmap.c, try_to_migrate_one(), try_to_unmap_one();
 * mm/memory.c, do_swap_page(), check_stable_address_space(); mm/page_alloc.c, free_page_is_bad() (6.1).
 */
import type { Event, PteView } from '../../abi/event.ts';
import { migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { migrationsObject } from '../../kernel/hmm/open-migrations.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { isStable } from '../../kernel/memory/address-space-stability.ts';
import { lockedFrame } from '../../kernel/memory/compound-page.ts';
import {
  hasFlag,
  isDevicePfn,
  mappingOf,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
} from '../../kernel/memory/frames.ts';
import { pageLocked } from '../../kernel/memory/page-lock.ts';
import { entriesOf } from '../../kernel/memory/page-table.ts';
import { lookAtSlot, slotAt } from '../../kernel/memory/swap.ts';
import { isAnonymous, vmaLookup } from '../../kernel/memory/vma.ts';
import { touch } from '../../task/context.ts';
import {
  contains,
  hexAddress,
  type PageIndex,
  type PageRange,
  type Pfn,
  pagesFrom,
  withRange,
} from '../../vocabulary/address.ts';
import { describePte, frameName } from './excuses.ts';
import type { Oracle } from './oracle.ts';

type EntryChange = Extract<Event, { kind: 'pte' }>;
type CallArgs = Extract<Event, { kind: 'call' }>['args'];
type WithFrame = Extract<PteView, { pfn: unknown }>;

/** The call of UFFDIO_MOVE. */
const MOVE = 'move_pages';
/** Of those that it has moved pages to. */
const RANGES_MAX = 64;

export const entryChanges: Oracle = {
  id: 'OR12',
  name: 'entry changes',
  asked: 'always',
  watch({ k, report }) {
    /** Devices that have refused a callback: what they map, the reaper leaves for another time. */
    const refusing = new Set<string>();
    /** Where UFFDIO_MOVE may have brought what the reaper had not come to yet: it asks nobody. */
    const movedTo: PageRange[] = [];
    const complain = (text: string, page: number): void =>
      report({ text, device: '', page: page as PageIndex });
    return {
      keeps: { refusing, movedTo },
      see(event) {
        switch (event.kind) {
          case 'call':
            if (event.function === MOVE) noteTarget(event.args, movedTo);
            return;
          case 'callback':
            if (event.function === 'migrate_to_ram' && !mayMigrate(k, Number(event.args.mm))) {
              complain(
                'migrate_to_ram() is called, and nobody holds mmap_lock',
                Number(event.args.page),
              );
            }
            return;
          case 'callback-return':
            if (event.result === 'again') refusing.add(event.device);
            return;
          case 'frame-free': {
            const pfn = event.pfn as Pfn;
            if (pageLocked(k, pfn)) complain(`frame ${frameName(pfn)} is freed while locked`, 0);
            if (k.isolated.has(pfn)) complain(`frame ${frameName(pfn)} is freed off its LRU`, 0);
            return;
          }
          case 'pte': {
            const why = wrongWith(k, event);
            if (why === undefined) return;
            const mm = event.mm === 0 ? '' : ` of mm ${event.mm}`;
            complain(`at ${hexAddress(event.page as PageIndex)}${mm} ${why}`, event.page);
            return;
          }
          default:
        }
      },
      atRest: () => (refusing.size > 0 ? [] : [...enteredReaped(k, movedTo)]),
    };
  },
};

/** A few ranges are told from each other, of many what they span: it excuses more, and takes no more room. */
function noteTarget({ first, end, to }: CallArgs, movedTo: PageRange[]): void {
  const target = pagesFrom(Number(to) as PageIndex, Number(end) - Number(first));
  const all = withRange(movedTo, target);
  const whole = { first: all[0]?.first ?? target.first, end: all.at(-1)?.end ?? target.end };
  movedTo.splice(0, movedTo.length, ...(all.length > RANGES_MAX ? [whole] : all));
}

/** mmap_assert_locked(), which migrate_vma_setup() comes to: a driver that is called back takes mmap_lock for held. */
function mayMigrate(k: Kernel, id: number): boolean {
  const held = k.mms.get(id)?.mmapLock;
  return held !== undefined && (held.readers.length > 0 || held.writer !== 'none');
}

function wrongWith(k: Kernel, { from, to }: EntryChange): string | undefined {
  for (const entry of [from, to]) {
    if (entry.state !== 'migration' || folioLocked(k, entry.pfn as Pfn)) continue;
    return `is a migration entry for frame ${frameName(entry.pfn as Pfn)}, which is not locked`;
  }
  if (from.state === 'migration' && mapsFrame(to) && !becomes(k, from.pfn as Pfn, to.pfn as Pfn)) {
    const names = `the migration entry for frame ${frameName(from.pfn as Pfn)}`;
    return `${names} becomes frame ${frameName(to.pfn as Pfn)}, which is not where it moves`;
  }
  const left = leaving(k, to);
  if (left === 'none' || !hasFlag(k.frames, left, PAGE_ANON)) return undefined;
  if (!hasFlag(k.frames, left, PAGE_ANON_EXCLUSIVE)) return undefined;
  return `frame ${frameName(left)} leaves its entry and stays marked as one process's alone`;
}

function mapsFrame(entry: PteView): entry is WithFrame {
  return entry.state === 'present' || entry.state === 'device-private';
}

/** It comes back, or some open migration moves it there. */
function becomes(k: Kernel, from: Pfn, to: Pfn): boolean {
  if (from === to) return true;
  for (const { owner, src, dst } of k.migrations.values()) {
    const at = src.findIndex((entry) => migratePfnToPfn(entry) === from);
    const destination = dst[at];
    if (destination === undefined) continue;
    touch(k.context, migrationsObject(owner), 'read');
    if (migratePfnToPfn(destination) === to) return true;
  }
  return takesOver(k, from, to);
}

/** Of a migration that the kernel began: both are locked, and the page belongs where the other one does. */
function takesOver(k: Kernel, from: Pfn, to: Pfn): boolean {
  if (isDevicePfn(to) || !folioLocked(k, to)) return false;
  const [old, made] = [mappingOf(k.frames, from), mappingOf(k.frames, to)];
  return old.id === made.id && old.index === made.index;
}

function folioLocked(k: Kernel, pfn: Pfn): boolean {
  return pageLocked(k, lockedFrame(k, pfn));
}

/** The page behind an entry that maps it no more. */
function leaving(k: Kernel, to: PteView): Pfn | 'none' {
  if (to.state === 'migration') return to.pfn as Pfn;
  if (to.state !== 'swap') return 'none';
  const slot = slotAt(k.swap, to.slot);
  return slot === 'none' ? 'none' : lookAtSlot(k.swap, slot).cached;
}

/** What is there when the reaper and everybody else are done came behind it: it has taken all that it found. */
function* enteredReaped(k: Kernel, movedTo: readonly PageRange[]): Iterable<string> {
  for (const mm of k.mms.values()) {
    if (isStable(k, mm)) continue;
    for (const [page, pte] of entriesOf(mm.table)) {
      const vma = vmaLookup(mm.vmas, page);
      if (vma === 'none' || !isAnonymous(vma) || movedTo.some((range) => contains(range, page)))
        continue;
      yield `${hexAddress(page)} of mm ${mm.id}, which was reaped, has an entry (${describePte(pte)})`;
    }
  }
}
