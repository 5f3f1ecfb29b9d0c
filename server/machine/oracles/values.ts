/** Oracle 3: a read returns what was last written at that address, whichever actor wrote it. */
import type { Event } from '../../abi/event.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { contentsOf } from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import { pteObject, readPte } from '../../kernel/memory/page-table.ts';
import { pteKind, ptePfn, pteSwapSlot } from '../../kernel/memory/pte.ts';
import { slotAt } from '../../kernel/memory/swap.ts';
import { touch } from '../../task/context.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { firstWord } from '../../vocabulary/page-contents.ts';
import { MIRRORED_MM } from './excuses.ts';
import { accessStanding } from './mirror-coherence.ts';
import type { Oracle, Watched } from './oracle.ts';
import { pinnedAt } from './pinned-pages.ts';
import { checkRegister, followEvent, loosenRegister, lostValues } from './registers.ts';
import {
  cachedWord,
  checkSharedPage,
  filePageAt,
  filePageOf,
  lostSharedPages,
} from './shared-pages.ts';

export const values: Oracle = {
  id: 'OR3',
  name: 'values',
  asked: 'always',
  watch(watched) {
    const { k, registers } = watched;
    /** What was written last to frames that are private to a device, which keeps their bytes. */
    const kept = new Map<Pfn, string>();
    return {
      keeps: { kept },
      see(event) {
        if (event.kind === 'cpu-access') checkValue(watched, event, event.mm);
        else if (event.kind === 'pin-access') checkPinAccess(watched, event);
        else if (event.kind === 'device-access') {
          const { memory, mode, pfn, value } = event;
          if (memory === 'private' && mode === 'write') kept.set(pfn as Pfn, value);
          checkDeviceAccess(watched, event);
        } else {
          if (event.kind === 'frame-free') kept.delete(event.pfn as Pfn);
          followEvent(registers, event);
        }
      },
      atRest() {
        const lost = lostValues(registers, (mm, page) => valueAt(k, kept, mm, page));
        const told = [...lost].map(({ mm, page, found, expected }) => {
          const where = `${hexAddress(page)}${mm === MIRRORED_MM ? '' : ` of mm ${mm}`}`;
          return `a read of ${where} would find ${found}, where ${expected} was written last`;
        });
        return [...told, ...lostSharedPages(k, registers.shared)];
      },
    };
  },
};

/** What a CPU that reads `page` would find, after all that its fault does. */
function valueAt(k: Kernel, kept: ReadonlyMap<Pfn, string>, mm: Mm, page: PageIndex): string {
  const pte = readPte(mm.table, page);
  switch (pteKind(pte)) {
    case 'none': {
      const file = filePageAt(k, mm.id, page, 'private');
      return file === 'none' ? '0x0' : cachedWord(k, file);
    }
    case 'zero':
      return '0x0';
    case 'present':
    case 'device-exclusive':
      return firstWord(contentsOf(k.frames, ptePfn(pte)));
    case 'device-private':
      return kept.get(ptePfn(pte)) ?? 'unknown';
    case 'swap': {
      const slot = slotAt(k.swap, pteSwapSlot(pte));
      if (slot === 'none') return 'unknown';
      return firstWord(slot.cached === 'none' ? slot.contents : contentsOf(k.frames, slot.cached));
    }
    case 'migration':
    case 'poison':
      return 'unknown';
  }
}

function checkDeviceAccess(
  watched: Watched,
  event: Extract<Event, { kind: 'device-access' }>,
): void {
  const standing = accessStanding(watched, event);
  if (standing === 'copying') return;
  if (standing !== 'in motion') checkValue(watched, event, MIRRORED_MM);
  else loosenRegister(watched.registers, MIRRORED_MM, event.page as PageIndex, event);
}

/**
 * I/O through a pin reaches the page that is mapped where it was pinned, unless its process has taken that page away.
 * While an entry changes it may be either.
 */
function checkPinAccess(watched: Watched, event: Extract<Event, { kind: 'pin-access' }>): void {
  const { k, registers } = watched;
  const { mm, mode, value } = event;
  const file = filePageOf(k, event.pfn as Pfn);
  if (file !== 'none') {
    checkSharedPage(k, registers.shared, file, event);
    return;
  }
  const pin = pinnedAt(registers.pins, event);
  const space = k.mms.get(mm);
  if (pin === undefined || pin.at === 'nowhere' || space === undefined) return;
  const places = [pin.at, ...(pin.perhaps === 'none' ? [] : pin.perhaps)];
  for (const page of places) {
    touch(k.context, pteObject(space.table, page), 'read');
    const pte = readPte(space.table, page);
    if (pteKind(pte) === 'present' && ptePfn(pte) === event.pfn) {
      checkValue(watched, { ...event, page }, mm);
      return;
    }
  }
  if (mode === 'read') return;
  for (const page of places) {
    const isOther = pteKind(readPte(space.table, page)) === 'present';
    if (pin.taken === 'not' || !isOther) loosenRegister(registers, mm, page, { mode, value });
  }
}

function checkValue(
  watched: Watched,
  event: Extract<Event, { kind: 'device-access' | 'cpu-access' | 'pin-access' }>,
  mm: number,
): void {
  const page = event.page as PageIndex;
  const { mode, value } = event;
  const device = event.kind === 'device-access' ? event.device : '';
  const by = device === '' ? 'cpu' : 'device';
  const expected = checkRegister(watched.registers, mm, page, { mode, value, by });
  if (expected === 'as expected') return;
  const reader = device === '' ? event.actor : device;
  const text = `${reader} read ${value} at ${hexAddress(page)}, where ${expected} was written last`;
  watched.report({ text, device, page });
}
