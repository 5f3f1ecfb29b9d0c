/** Oracle 4 (OR4): at rest the books balance. Source of each sum: mm/debug_vm_pgtable.c has no such thing; ours. */

import type { PinMode } from '../../abi/cpu-api.ts';
import { holdsPages } from '../../kernel/hmm/open-migrations.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import {
  framesInUse,
  hasFlag,
  isDevicePfn,
  mapcount,
  PAGE_LRU,
  PAGE_SWAPCACHE,
  PIN_BIAS,
  refcount,
  swapSlotOf,
  ZERO_PFN,
} from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import type { AnonVma } from '../../kernel/memory/mm-types.ts';
import { entriesOf } from '../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsSwap,
  pteIsZeroPage,
  ptePfn,
  ptePresent,
  pteSwapSlot,
} from '../../kernel/memory/pte.ts';
import { vmaLookup } from '../../kernel/memory/vma.ts';
import { placesOf } from '../../kernel/rmap/rmap.ts';
import type { RwSem } from '../../task/rwsem.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { describePte, frameName } from './excuses.ts';
import type { Oracle } from './oracle.ts';

export const leftNothing: Oracle = {
  id: 'OR4',
  name: 'left behind',
  asked: 'always',
  watch: ({ k }) => ({
    keeps: {},
    atRest: ({ pins, invalidating }) => [...leftBehind(k, pins), ...miscounted(invalidating)],
  }),
};

/** A driver counts brackets by their starts and ends, which come in pairs. */
function miscounted(invalidating: ReadonlyMap<string, number> = new Map()): string[] {
  return [...invalidating].map(
    ([device, count]) => `${device} counts ${count} invalidations in progress, and there are none`,
  );
}

interface Books {
  readonly mappings: Map<Pfn, number>;
  readonly slots: Map<number, number>;
  readonly extra: Map<Pfn, number>;
  readonly complaints: string[];
}

/**
 * Everything that is out of balance while no task runs, a sentence each; empty if all is well. `pins` are the
 * frames that threads hold on purpose.
 */
export function leftBehind(
  k: Kernel,
  pins: Iterable<{ readonly frames: readonly Pfn[]; readonly mode: PinMode }>,
): string[] {
  const books: Books = { mappings: new Map(), slots: new Map(), extra: new Map(), complaints: [] };
  const { complaints } = books;
  const open = [...k.migrations.values()].filter(holdsPages).length;
  if (open > 0) complaints.push(`${open} migrations are not finalized`);
  if (k.invalidations.size > 0) complaints.push(`${k.invalidations.size} brackets are open`);
  for (const pfn of k.pageLocks.keys()) complaints.push(`frame 0x${pfn.toString(16)} is locked`);
  for (const pfn of k.isolated) complaints.push(`frame 0x${pfn.toString(16)} is isolated`);
  readTables(k, books);
  for (const { frames, mode } of pins) {
    for (const pfn of frames) add(books.extra, pfn, mode === 'get' ? 1 : PIN_BIAS);
  }
  for (const file of k.files.values())
    for (const pfn of file.pages.values()) add(books.extra, pfn, 1);
  complainOfRmapLocks(k, complaints);
  complainOfAnonVmas(k, complaints);
  for (const pfn of framesInUse(k.frames)) checkFrame(k, books, pfn);
  for (const [slot, found] of k.swap.slots) {
    const named = books.slots.get(slot) ?? 0;
    if (found.claim === 'claimed') complaints.push(`swap slot ${slot} is claimed`);
    if (named !== found.uses)
      complaints.push(`swap slot ${slot} has ${found.uses} uses, ${named} entries`);
    const { cached } = found;
    if (cached !== 'none' && swapSlotOf(k.frames, cached) !== slot) {
      complaints.push(
        `swap slot ${slot} has frame ${frameName(cached)} cached, which is another's`,
      );
    }
  }
  return complaints;
}

function complainOfRmapLocks({ anonVmas, files }: Kernel, complaints: string[]): void {
  const sems: RwSem[] = [];
  for (const { rwsem } of anonVmas.values()) sems.push(rwsem);
  for (const { iMmapRwsem } of files.values()) sems.push(iMmapRwsem);
  for (const { writer, readers, class: lockClass } of sems) {
    if (writer !== 'none' || readers.length > 0) complaints.push(`an ${lockClass} is held`);
  }
}

/**
 * Each counts the mappings whose own pages belong to it: by that count fork() sees whether one may be had again.
 * Source: mm/rmap.c, unlink_anon_vmas(), which warns of one that is freed and counts some still.
 */
function complainOfAnonVmas({ anonVmas, mms }: Kernel, complaints: string[]): void {
  const owned = new Map<AnonVma, number>();
  for (const mm of mms.values()) {
    for (const { anonVma } of mm.vmas) if (anonVma !== 'none') add(owned, anonVma, 1);
  }
  for (const anonVma of anonVmas.values()) {
    const { id, activeVmas } = anonVma;
    const found = owned.get(anonVma) ?? 0;
    if (activeVmas === found) continue;
    complaints.push(`anon_vma ${id} counts ${activeVmas} mappings as its own, and ${found} are`);
  }
}

function readTables(k: Kernel, books: Books): void {
  for (const mm of k.mms.values()) {
    const { mmapLock, subscriptions } = mm;
    if (mmapLock.writer !== 'none' || mmapLock.readers.length > 0) {
      books.complaints.push(`mmap_lock of mm ${mm.id} is held`);
    }
    const users = mm.alive ? mm.users - 1 : mm.users;
    if (users > 0) books.complaints.push(`mm ${mm.id} has ${users} references of devices`);
    if (subscriptions.deferred.length > 0) {
      books.complaints.push(`mm ${mm.id} has subscriptions that wait to be inserted or removed`);
    }
    if (mm.tlbFlushPending !== 0) {
      books.complaints.push(`mm ${mm.id} has ${mm.tlbFlushPending} TLB flushes pending`);
    }
    if (mm.tlbBatches !== 0) {
      books.complaints.push(`${mm.tlbBatches} batches owe mm ${mm.id} a TLB flush`);
    }
    if (mm.fastWalks !== 0) {
      books.complaints.push(`mm ${mm.id} has ${mm.fastWalks} walks without locks under way`);
    }
    if (mm.writeProtectSeq % 2 === 1) {
      books.complaints.push(`mm ${mm.id} is still being copied (seq ${mm.writeProtectSeq})`);
    }
    if (mm.vmaLocks.readers.length > 0) {
      books.complaints.push(`a mapping of mm ${mm.id} is locked for reading`);
    }
    if (subscriptions.activeInvalidateRanges !== 0 || subscriptions.invalidateSeq % 2 === 1) {
      books.complaints.push(
        `mm ${mm.id} is still invalidating (seq ${subscriptions.invalidateSeq})`,
      );
    }
    for (const ptePage of mm.table.pages.values()) {
      if (ptePage.ptl.holder !== 'none') books.complaints.push(`a PTE lock of mm ${mm.id} is held`);
    }
    for (const [page, pte] of entriesOf(mm.table)) {
      readEntry(books, mm.id, pte);
      checkPlace(k, books, mm, page, pte);
    }
  }
}

/** Every entry lies in a mapping, and a walk of the reverse map from its page comes by it. */
function checkPlace(k: Kernel, { complaints }: Books, mm: Mm, page: PageIndex, pte: Pte): void {
  const where = `${hexAddress(page)} of mm ${mm.id}`;
  if (vmaLookup(mm.vmas, page) === 'none') {
    complaints.push(`${where} has an entry (${describePte(pte)}), and no mapping covers it`);
  }
  if (!mapsFrame(pte)) return;
  const pfn = ptePfn(pte);
  if (placesOf(k, pfn).some((place) => place.mm === mm && place.page === page)) return;
  complaints.push(
    `${where} maps ${frameName(pfn)}, and no walk of the reverse map from it finds that`,
  );
}

/** The entry counts as a mapping of a frame. */
function mapsFrame(pte: Pte): boolean {
  const present = ptePresent(pte) && !pteIsZeroPage(pte);
  return present || pteIsDevicePrivate(pte) || pteIsDeviceExclusive(pte);
}

function readEntry(books: Books, mm: number, pte: Pte): void {
  if (pteIsMigration(pte)) {
    books.complaints.push(`mm ${mm} has a migration entry for frame 0x${ptePfn(pte).toString(16)}`);
  } else if (pteIsSwap(pte)) add(books.slots, pteSwapSlot(pte), 1);
  else if (mapsFrame(pte)) add(books.mappings, ptePfn(pte), 1);
}

function checkFrame(k: Kernel, books: Books, pfn: Pfn): void {
  const mapped = books.mappings.get(pfn) ?? 0;
  const cached = hasFlag(k.frames, pfn, PAGE_SWAPCACHE) ? 1 : 0;
  const owed = mapped + cached + (books.extra.get(pfn) ?? 0);
  const name = `frame 0x${pfn.toString(16)}`;
  if (mapcount(k.frames, pfn) !== mapped) {
    books.complaints.push(
      `${name} has mapcount ${mapcount(k.frames, pfn)}, ${mapped} entries map it`,
    );
  }
  if (refcount(k.frames, pfn) !== owed) {
    books.complaints.push(
      `${name} has ${refcount(k.frames, pfn)} references, ${owed} are accounted for`,
    );
  }
  const system = !isDevicePfn(pfn) && pfn !== ZERO_PFN;
  if (system && mapped > 0 && !hasFlag(k.frames, pfn, PAGE_LRU) && !k.isolated.has(pfn)) {
    books.complaints.push(`${name} is mapped and on no LRU list: nothing can reclaim or move it`);
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
