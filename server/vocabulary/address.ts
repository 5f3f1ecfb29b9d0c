import type { Brand } from './brand.ts';
import { invariant } from './invariant.ts';

export const PAGE_SHIFT = 12;
/** Bytes in a page. */
export const PAGE_SIZE = 4096;
/** User addresses of x86-64 with four-level tables end here. */
export const ADDRESS_BITS = 47;
export const TASK_SIZE = 2 ** ADDRESS_BITS;
/** Pages of the user address space. */
export const PAGES_MAX = TASK_SIZE / PAGE_SIZE;
/** Entries of one page-table page of x86-64; also the pages of one huge page. A machine may have fewer. */
export const PTRS_PER_PTE = 512;

/** A byte address of a process, below TASK_SIZE. */
export type VirtualAddress = Brand<number, 'VirtualAddress'>;
/** A slot in an address space: a virtual address divided by the page size. */
export type PageIndex = Brand<number, 'PageIndex'>;
/** The number of a frame: of physical memory, or of a device's private memory. */
export type Pfn = Brand<number, 'Pfn'>;

/** Pages [first, end). Never empty. */
export interface PageRange {
  readonly first: PageIndex;
  readonly end: PageIndex;
}

export function virtualAddress(value: number): VirtualAddress {
  invariant(Number.isSafeInteger(value), 'VA1', { value });
  invariant(value >= 0 && value < TASK_SIZE, 'VA2', { value });
  return value as VirtualAddress;
}

/** `value` counts pages; PAGES_MAX itself is allowed, as the end of a range. */
export function pageIndex(value: number): PageIndex {
  invariant(Number.isSafeInteger(value), 'VA1', { value });
  invariant(value >= 0 && value <= PAGES_MAX, 'VA2', { value });
  return value as PageIndex;
}

export function pfn(value: number): Pfn {
  return value as Pfn;
}

export function pageOf(address: VirtualAddress): PageIndex {
  return Math.floor(address / PAGE_SIZE) as PageIndex;
}

export function addressOf(page: PageIndex): VirtualAddress {
  return (page * PAGE_SIZE) as VirtualAddress;
}

export function pageRange(first: PageIndex, end: PageIndex): PageRange {
  invariant(first < end, 'VA3', { first, end });
  return { first, end };
}

/** The range of `count` pages from `first`. */
export function pagesFrom(first: PageIndex, count: number): PageRange {
  return pageRange(first, pageIndex(first + count));
}

export function pageCount(range: PageRange): number {
  return range.end - range.first;
}

export function overlaps(a: PageRange, b: PageRange): boolean {
  return a.first < b.end && b.first < a.end;
}

export function contains(range: PageRange, page: PageIndex): boolean {
  return range.first <= page && page < range.end;
}

/** What is left of ranges that do not overlap, in their order. */
export function withoutRange(ranges: readonly PageRange[], gone: PageRange): PageRange[] {
  return ranges.flatMap((range) => {
    if (!overlaps(range, gone)) return [range];
    return [
      { first: range.first, end: gone.first },
      { first: gone.end, end: range.end },
    ].filter((part) => part.first < part.end);
  });
}

/** The same set of pages and those of `more`, as few ranges as can be, in order. */
export function withRange(ranges: readonly PageRange[], more: PageRange): PageRange[] {
  const joined: PageRange[] = [];
  for (const range of [...withoutRange(ranges, more), more].sort((a, b) => a.first - b.first)) {
    const last = joined.at(-1);
    if (last?.end !== range.first) joined.push(range);
    else joined[joined.length - 1] = { first: last.first, end: range.end };
  }
  return joined;
}

/** The common part of two ranges, or 'nothing'. */
export function intersection(a: PageRange, b: PageRange): PageRange | 'nothing' {
  const first = a.first > b.first ? a.first : b.first;
  const end = a.end < b.end ? a.end : b.end;
  return first < end ? { first, end } : 'nothing';
}

export function nextPage(page: PageIndex): PageIndex {
  return (page + 1) as PageIndex;
}

/** `0x100200000`: an address as kernel people write it. */
export function hexAddress(page: PageIndex): string {
  return `0x${(page * PAGE_SIZE).toString(16)}`;
}
