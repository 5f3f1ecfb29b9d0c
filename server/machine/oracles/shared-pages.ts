/**
 * Oracle 3's memory of pages that a file or a shared anonymous object holds: one register for each, whichever address,
 * process or device reaches it. Nothing but a write changes it: neither munmap() nor MADV_DONTNEED nor an exit.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { contentsOf, hasFlag, PAGE_ANON } from '../../kernel/memory/frames.ts';
import type { MemoryFile } from '../../kernel/memory/mm-types.ts';
import { isShared, linearIndex } from '../../kernel/memory/vma.ts';
import { vmaOfEntry } from '../../kernel/memory/vma-adjust.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ORACLE_OWNERS } from '../../task/object-owners.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { firstWord } from '../../vocabulary/page-contents.ts';

/** Files, and pages of a file, that have numbers of their own. */
const FILES = 2 ** 12;
const FILE_PAGES = 2 ** 24;

/** A private copy may be of what a page held some writes ago; more of them are not remembered. */
const HELD_MAX = 8;

/** What was written to each page, the last of it last; 'anything' where a device wrote to a page in motion. */
export type SharedPages = Map<ObjectId, readonly string[] | 'anything'>;

export interface SharedPage {
  readonly file: MemoryFile;
  readonly index: number;
  readonly object: ObjectId;
}

/** The page of a file that is shared at an address, or that a private mapping of a file maps there; or 'none'. */
export function filePageAt(
  k: Kernel,
  mm: number,
  page: PageIndex,
  mapping: 'shared' | 'private',
): SharedPage | 'none' {
  const space = k.mms.get(mm);
  const vma = space === undefined ? 'none' : vmaOfEntry(k, space, page);
  if (vma === 'none' || vma.file === 'none' || isShared(vma) !== (mapping === 'shared')) {
    return 'none';
  }
  const { file } = vma;
  const index = linearIndex(vma, page);
  return { file, index, object: sharedPageObject(file, index) };
}

/** The page of a file that a frame of its page cache holds, or 'none'. */
export function filePageOf(k: Kernel, pfn: Pfn): SharedPage | 'none' {
  if (hasFlag(k.frames, pfn, PAGE_ANON)) return 'none';
  for (const file of k.files.values()) {
    for (const [index, cached] of file.pages) {
      if (cached === pfn) return { file, index, object: sharedPageObject(file, index) };
    }
  }
  return 'none';
}

function sharedPageObject({ id }: MemoryFile, index: number): ObjectId {
  return objectId('user', ORACLE_OWNERS.sharedPages, (id % FILES) * FILE_PAGES + index);
}

/** Takes note of an access. Returns the value that a read should have found instead, or 'as expected'. */
export function checkSharedPage(
  k: Kernel,
  pages: SharedPages,
  shared: SharedPage,
  { mode, value }: { readonly mode: 'read' | 'write'; readonly value: string },
): string {
  const { object } = shared;
  touch(k.context, object, mode);
  if (mode === 'write') {
    const held = heldBy(k, pages, shared);
    const before = held === 'anything' ? [] : held.filter((one) => one !== value);
    pages.set(object, [...before, value].slice(-HELD_MAX));
    return 'as expected';
  }
  const held = heldBy(k, pages, shared);
  const expected = held === 'anything' ? held : (held.at(-1) ?? value);
  return expected === value || expected === 'anything' ? 'as expected' : expected;
}

/** What the page has held, the last of it last. */
export function heldBy(
  k: Kernel,
  pages: SharedPages,
  shared: SharedPage,
): readonly string[] | 'anything' {
  return pages.get(shared.object) ?? [cachedWord(k, shared)];
}

/** The page leaves its file: what is read there from now on is zero. */
export function emptySharedPage(k: Kernel, pages: SharedPages, id: number, index: number): void {
  const file = k.files.get(id);
  if (file === undefined) return;
  const shared = { file, index, object: sharedPageObject(file, index) };
  touch(k.context, shared.object, 'write');
  const held = heldBy(k, pages, shared);
  if (held !== 'anything') pages.set(shared.object, [...held, '0x0'].slice(-HELD_MAX));
}

/** A device wrote where the page is in motion: the write may be kept or not. */
export function loosenSharedPage(k: Kernel, pages: SharedPages, { object }: SharedPage): void {
  touch(k.context, object, 'write');
  pages.set(object, 'anything');
}

/** What the page cache holds; a page that it does not have is born zero. */
export function cachedWord(
  { frames }: Kernel,
  { file, index }: Omit<SharedPage, 'object'>,
): string {
  const pfn = file.pages.get(index);
  return pfn === undefined ? '0x0' : firstWord(contentsOf(frames, pfn));
}

/** At rest: shared pages whose page cache does not hold what was written last, a sentence each. */
export function* lostSharedPages(k: Kernel, pages: SharedPages): Iterable<string> {
  for (const file of k.files.values()) {
    for (const index of file.pages.keys()) {
      const held = pages.get(sharedPageObject(file, index));
      const expected = held === 'anything' ? undefined : held?.at(-1);
      if (expected === undefined) continue;
      const found = cachedWord(k, { file, index });
      if (found === expected) continue;
      yield `page ${index} of file ${file.id} holds ${found}, where ${expected} was written last`;
    }
  }
}
