/** What the CPU page table says of a page, and what excuses a device or a CPU that does not agree with it. */
import type { MirrorEntry } from '../../abi/device-api.ts';
import { MIGRATE_PFN_NONE, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { holdsPages, migrationsObject } from '../../kernel/hmm/open-migrations.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import { mapcount, refcount, ZERO_PFN } from '../../kernel/memory/frames.ts';
import { pageLocked } from '../../kernel/memory/page-lock.ts';
import { pgmapOf, pgmapOwnerOf } from '../../kernel/memory/page-references.ts';
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
import { answerObject } from '../../kernel/notifier/ask-devices.ts';
import { touch } from '../../task/context.ts';
import { contains, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { mirrorEntry, seenObject } from './mirrors.ts';
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
    const mine = ptePfn(pte) === pfn && pgmapOf(k, pfn).owner === pgmapOwnerOf(k, device);
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
 * A bracket that the device has not carried out: what it reaches there may be about to go. From its answer on it has
 * no business there, however long the bracket stays open.
 */
export function owesAnswer(k: Kernel, device: string, page: PageIndex): boolean {
  if (!beingInvalidated(k, MIRRORED_MM, page)) return false;
  for (const { mm, range, answers } of k.invalidations.values()) {
    if (mm.id !== MIRRORED_MM || !contains(range, page)) continue;
    if (answers === undefined) return true;
    for (const [id, answer] of answers) {
      if (answer.device !== device) continue;
      touch(k.context, answerObject(id), 'watch');
      if (!answer.given) return true;
    }
  }
  return false;
}

/**
 * A driver may ignore its own migration's invalidations; it must have its table right when it finalizes. Until then it
 * may map what the migration takes away or puts there, at this page, and nothing else. Migrations of a child's pages,
 * or by frame numbers, tell a device that mirrors like any other.
 */
export function migratesItself(k: Kernel, device: string, page: PageIndex, pfn: Pfn): boolean {
  touch(k.context, migrationsObject(device), 'read');
  for (const open of k.migrations.values()) {
    const { owner, mm, vma, range, src, dst } = open;
    if (owner !== device || !holdsPages(open)) continue;
    if (vma === 'none' || mm.id !== MIRRORED_MM || !contains(range, page)) continue;
    if (open.cpages === 'collecting') return true;
    const at = page - range.first;
    const from = migratePfnToPfn(src[at] ?? MIGRATE_PFN_NONE);
    if (pfn === (from === 'none' ? ZERO_PFN : from)) return true;
    if (pfn === migratePfnToPfn(dst[at] ?? MIGRATE_PFN_NONE)) return true;
  }
  return false;
}

/** An own migration of the mirrored process, of whatever page there, is open at `page`. */
export function migrating(k: Kernel, device: string, page: PageIndex): boolean {
  touch(k.context, migrationsObject(device), 'read');
  for (const open of k.migrations.values()) {
    if (open.owner !== device || !holdsPages(open) || open.vma === 'none') continue;
    if (open.mm.id === MIRRORED_MM && contains(open.range, page)) return true;
  }
  return false;
}

/**
 * The frame is one that an open migration of the device copies: its source, or a page that is locked and mapped
 * nowhere, as the destination is until it is handed over.
 */
export function copies(k: Kernel, device: string, pfn: Pfn): boolean {
  touch(k.context, migrationsObject(device), 'read');
  for (const open of k.migrations.values()) {
    if (open.owner !== device || !holdsPages(open)) continue;
    if (open.src.some((entry) => migratePfnToPfn(entry) === pfn)) return true;
    if (open.dst.some((entry) => migratePfnToPfn(entry) === pfn)) return true;
    if (refcount(k.frames, pfn) > 0 && mapcount(k.frames, pfn) === 0 && pageLocked(k, pfn))
      return true;
  }
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
