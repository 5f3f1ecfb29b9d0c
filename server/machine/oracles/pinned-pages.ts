/**
 * Where the pages of long-term pins are, as far as their process moves them itself: mremap() takes a pinned page along,
 * munmap() and MADV_DONTNEED take the address away from it. Whatever else the kernel does, it stays the page that is
 * mapped. A pin for reading promises nothing: a write may copy its page away.
 */
import type { Event } from '../../abi/event.ts';
import type { PageIndex } from '../../vocabulary/address.ts';

export interface PinnedPage {
  /** Where it should be mapped now. */
  at: PageIndex | 'nowhere';
  /** 'by its process': perhaps another page is mapped there, and rightly. */
  taken: 'not' | 'by its process';
  /**
   * Where it may be as well: a call that takes or moves pages was under way when it was pinned, and may have been
   * before or behind that. 'none': it is known.
   */
  readonly perhaps: PageIndex[] | 'none';
}

/** By address space, thread, its number for the pin, and the page where it was pinned. */
export type PinnedPages = Map<string, PinnedPage>;

export interface Span {
  readonly first: number;
  readonly end: number;
}

type Pinning = Extract<Event, { kind: 'call' }>;

export function pinnedAt(
  pins: PinnedPages,
  { actor, mm, id, page }: Extract<Event, { kind: 'pin-access' }>,
): PinnedPage | undefined {
  return pins.get(keyOf(mm, actor, id, page));
}

/** `isTaken`: a call that takes pages away is under way there. */
export function addPins(
  pins: PinnedPages,
  mm: number,
  { actor, args }: Pinning,
  isTaken: (page: PageIndex) => boolean,
): void {
  for (const page of pagesOf(args)) {
    const pin: PinnedPage = isTaken(page)
      ? { at: page, taken: 'by its process', perhaps: [] }
      : { at: page, taken: 'not', perhaps: 'none' };
    pins.set(keyOf(mm, actor, args.id, page), pin);
  }
}

export function removePins(pins: PinnedPages, mm: number, { actor, args }: Pinning): void {
  for (const page of pagesOf(args)) pins.delete(keyOf(mm, actor, args.id, page));
}

/** A call begins to take these pages away, or to put others there. */
export function takePins(pins: PinnedPages, mm: number, ranges: readonly Span[]): void {
  for (const pin of pinsOf(pins, mm)) {
    if (ranges.some((range) => isAt(pin, range))) pin.taken = 'by its process';
  }
}

/** mremap() has moved what was there. */
export function movePins(pins: PinnedPages, mm: number, from: Span, to: Span): void {
  for (const pin of pinsOf(pins, mm)) {
    if (pin.at === 'nowhere') continue;
    const moved = (pin.at - from.first + to.first) as PageIndex;
    if (pin.perhaps !== 'none') {
      if (isAt(pin, from)) pin.perhaps.push(moved);
    } else if (isAt(pin, to)) pin.at = 'nowhere';
    else if (isAt(pin, from)) pin.at = moved;
  }
}

export function forgetPins(pins: PinnedPages, mm: number, range: Span): void {
  for (const pin of pinsOf(pins, mm)) {
    if (isAt(pin, range) && pin.perhaps === 'none') pin.at = 'nowhere';
  }
}

/** As text, to compare states. */
export function pinsText(pins: PinnedPages): string {
  let text = '';
  for (const [key, { at, taken, perhaps }] of pins) text += `${key} ${at} ${taken} ${perhaps},`;
  return text;
}

function* pinsOf(pins: PinnedPages, mm: number): Iterable<PinnedPage> {
  for (const [key, pin] of pins) if (key.startsWith(`${mm} `)) yield pin;
}

function isAt({ at }: PinnedPage, { first, end }: Span): boolean {
  return at !== 'nowhere' && first <= at && at < end;
}

function keyOf(mm: number, actor: string, id: unknown, page: number): string {
  return `${mm} ${actor} ${id} ${page}`;
}

function* pagesOf({ first, end }: Pinning['args']): Iterable<PageIndex> {
  if (typeof first !== 'number' || typeof end !== 'number') return;
  for (let page = first; page < end; page += 1) yield page as PageIndex;
}
