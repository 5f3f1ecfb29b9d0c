/** What the CPU page table says of a page, and what excuses a device or a CPU that does not agree with it. */
import type { MirrorEntry } from '../../abi/device-api.ts';
import { holdsPages, migrationsObject } from '../../kernel/hmm/open-migrations.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import { ZERO_PFN } from '../../kernel/memory/frames.ts';
import { pgmapOf } from '../../kernel/memory/page-references.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsZeroPage,
  pteKind,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../../kernel/memory/pte.ts';
import { touch } from '../../task/context.ts';
import { contains, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { type Mirrors, mirrorEntry, seenObject } from './mirrors.ts';
import type { Watched } from './oracle.ts';

/** The mm that devices mirror. */
export const MIRRORED_MM = 0;

export function seenEntry({ k, mirrors }: Watched, device: string, page: PageIndex): MirrorEntry {
  touch(k.context, seenObject(mirrors, device, page), 'read');
  return mirrorEntry(mirrors, device, page);
}

/** The CPU's entry of the mirrored mm. */
export function cpuEntry(k: Kernel, page: PageIndex): Pte {
  const mm = findMm(k, MIRRORED_MM);
  return mm === undefined ? (0 as Pte) : readPte(mm.table, page);
}

/** A device may map the page so. */
export function agrees(
  k: Kernel,
  device: string,
  pfn: Pfn,
  access: 'read' | 'write' | 'exclusive',
  pte: Pte,
): boolean {
  if (ptePresent(pte)) {
    if (pteProtNone(pte) || access === 'exclusive') return false;
    const frame = pteIsZeroPage(pte) ? ZERO_PFN : ptePfn(pte);
    return frame === pfn && (access === 'read' || pteWrite(pte));
  }
  if (pteIsDevicePrivate(pte)) {
    const mine = ptePfn(pte) === pfn && pgmapOf(k, pfn).owner === device;
    return mine && (access === 'read' || pteWrite(pte));
  }
  return pteIsDeviceExclusive(pte) && ptePfn(pte) === pfn && access === 'exclusive';
}

export function beingInvalidated(k: Kernel, id: number, page: PageIndex): boolean {
  const mm = findMm(k, id);
  if (mm !== undefined) touch(k.context, mm.subscriptions.object, 'read');
  for (const open of k.invalidations.values()) {
    if (open.mm.id === id && contains(open.range, page)) return true;
  }
  return false;
}

/**
 * A driver may ignore its own migration's invalidations; it must have its table right when it finalizes. Pages of a
 * child go home at the same addresses as those of the mirrored mm.
 */
export function migrating(
  k: Kernel,
  device: string,
  page: PageIndex,
  whose: 'of any mm' | 'of the mirrored mm' = 'of any mm',
): boolean {
  touch(k.context, migrationsObject(device), 'read');
  for (const open of k.migrations.values()) {
    if (open.owner !== device || !holdsPages(open)) continue;
    if (open.vma === 'none') return true;
    if (whose === 'of the mirrored mm' && open.mm.id !== MIRRORED_MM) continue;
    if (contains(open.range, page)) return true;
  }
  return false;
}

export function anybodyMigrates(k: Kernel, { numbers }: Mirrors): boolean {
  for (const device of numbers.keys()) touch(k.context, migrationsObject(device), 'read');
  for (const open of k.migrations.values()) if (holdsPages(open)) return true;
  return false;
}

/** `present 0x12 (write)`. */
export function describePte(pte: Pte): string {
  const kind = pteKind(pte);
  if (kind === 'none' || kind === 'zero' || kind === 'poison' || kind === 'swap') {
    return kind === 'zero' ? 'the zero page' : kind;
  }
  return `${kind} ${frameName(ptePfn(pte))} (${pteWrite(pte) ? 'write' : 'read'})`;
}

export function frameName(pfn: Pfn): string {
  return pfn === ZERO_PFN ? 'zero' : `0x${pfn.toString(16)}`;
}
