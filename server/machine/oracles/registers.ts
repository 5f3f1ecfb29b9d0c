/**
 * Oracle 3's memory of what was written: each address of private anonymous memory is one register, whoever reads
 * or writes it. While a call may take memory away (munmap, mremap, DONTNEED) its range is unsettled; after
 * MADV_FREE a page may read as what it was or as zero until it is written.
 *
 * Leaves out: shared and file mappings, where an address names a page that others may write under another one.
 */

import type { Kernel } from '../../kernel/kernel.ts';
import { vmaLookup } from '../../kernel/memory/vma.ts';
import type { Event } from '../../protocol/event.ts';
import type { PageIndex } from '../../vocabulary/address.ts';

const UNSETTLING = new Set(['munmap', 'mremap', 'madvise_dontneed', 'madvise_free', 'exit']);

interface Unsettled {
  readonly actor: string;
  readonly ranges: readonly { readonly first: number; readonly end: number }[];
  readonly leaves: 'unknown' | 'discardable';
}

interface Space {
  readonly values: Map<PageIndex, string>;
  /** MADV_FREE was here, and nobody has written since. */
  readonly discardable: Set<PageIndex>;
}

export interface Registers {
  readonly k: Kernel;
  readonly spaces: Map<number, Space>;
  readonly unsettled: Unsettled[];
}

export function newRegisters(k: Kernel): Registers {
  return { k, spaces: new Map(), unsettled: [] };
}

/** Follows calls that take memory away, and pages that are lost with their device. */
export function followEvent(registers: Registers, event: Event): void {
  if (event.kind === 'call' && UNSETTLING.has(event.function)) {
    const unsettled = unsettledBy(event);
    registers.unsettled.push(unsettled);
    settle(registers, unsettled);
  } else if (event.kind === 'return' && UNSETTLING.has(event.function)) {
    const at = registers.unsettled.findIndex((open) => open.actor === event.actor);
    const [ended] = at < 0 ? [] : registers.unsettled.splice(at, 1);
    if (ended !== undefined) settle(registers, ended);
  } else if (event.kind === 'pte' && event.from.state === 'device-private') {
    if (event.to.state === 'none' || event.to.state === 'poison') {
      registers.spaces.get(event.mm)?.values.delete(event.page as PageIndex);
    }
  }
}

function unsettledBy(event: Extract<Event, { kind: 'call' }>): Unsettled {
  const { first, end, to } = event.args;
  const from = Number(first ?? 0);
  const until = Number(end ?? Number.POSITIVE_INFINITY);
  const ranges = [{ first: from, end: until }];
  if (typeof to === 'number') ranges.push({ first: to, end: to + until - from });
  const leaves = event.function === 'madvise_free' ? 'discardable' : 'unknown';
  return { actor: event.actor, ranges, leaves };
}

/** What is in the ranges may have changed without an access: forget what was written, in every address space. */
function settle(registers: Registers, unsettled: Unsettled): void {
  for (const space of registers.spaces.values()) {
    for (const page of space.values.keys()) {
      if (!unsettled.ranges.some((range) => range.first <= page && page < range.end)) continue;
      space.values.delete(page);
      if (unsettled.leaves === 'discardable') space.discardable.add(page);
    }
  }
}

/** Takes note of an access. Returns the value that a read should have found instead, or 'as expected'. */
export function checkRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  mode: 'read' | 'write',
  value: string,
): string {
  const covered = registers.unsettled.some((open) =>
    open.ranges.some((range) => range.first <= page && page < range.end),
  );
  if (covered || !isRegister(registers.k, mm, page)) return 'as expected';
  const space = spaceOf(registers, mm);
  if (mode === 'write') {
    space.values.set(page, value);
    space.discardable.delete(page);
    return 'as expected';
  }
  if (space.discardable.has(page)) return 'as expected';
  const expected = space.values.get(page);
  if (expected === undefined) space.values.set(page, value);
  return expected === undefined || expected === value ? 'as expected' : expected;
}

/** An access while the page is in motion: what was written is not known any more, what was read proves nothing. */
export function loosenRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  mode: 'read' | 'write',
): void {
  if (mode === 'write') registers.spaces.get(mm)?.values.delete(page);
}

function isRegister(k: Kernel, mm: number, page: PageIndex): boolean {
  const space = k.mms.get(mm);
  const vma = space === undefined ? 'none' : vmaLookup(space.vmas, page);
  return vma !== 'none' && vma.kind === 'anon-private';
}

function spaceOf(registers: Registers, mm: number): Space {
  let space = registers.spaces.get(mm);
  if (space === undefined) {
    space = { values: new Map(), discardable: new Set() };
    registers.spaces.set(mm, space);
  }
  return space;
}
