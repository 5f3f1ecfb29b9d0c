/**
 * Oracle 3's memory of what was written: each address of private anonymous memory is one register, whoever reads
 * or writes it. While a call may take memory away (munmap, mremap, DONTNEED) its range is unsettled; after
 * MADV_FREE a page may read as what it was or as zero until it is written. A child begins with what its parent held
 * when it forked.
 *
 * Leaves out: shared and file mappings, where an address names a page that others may write under another one.
 */

import type { Event } from '../../abi/event.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import { findPtePage, isHuge } from '../../kernel/memory/page-table.ts';
import { vmaLookup } from '../../kernel/memory/vma.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import type { PageIndex } from '../../vocabulary/address.ts';

/** Owners of register objects are numbered from here, those of devices' entries below. */
const REGISTER_OWNERS = 512;
/** Calls that take more pages than this are one object for an explorer. */
const NOTED_PAGES_MAX = 512;

const UNSETTLING = new Set(['munmap', 'mremap', 'madvise_dontneed', 'madvise_free', 'exit']);

interface Unsettled {
  readonly actor: string;
  readonly ranges: readonly { readonly first: number; readonly end: number }[];
  readonly leaves: 'unknown' | 'discardable';
}

interface Space {
  readonly values: Map<PageIndex, string>;
  /**
   * MADV_FREE was here, and no CPU has written since. A device's write leaves the page clean, unless its driver marks
   * it dirty, so it does not keep the page.
   */
  readonly discardable: Set<PageIndex>;
  /** Of discardable pages whose entry is empty: the frame that it named last. */
  readonly cleared: Map<PageIndex, number>;
}

/** A fork that has not returned: what is written meanwhile may or may not be the child's, too. */
interface Forking {
  readonly actor: string;
  readonly parent: number;
  readonly written: Set<PageIndex>;
}

export interface Registers {
  readonly k: Kernel;
  readonly spaces: Map<number, Space>;
  readonly unsettled: Unsettled[];
  readonly forking: Forking[];
  /** The address space of each CPU thread that has accessed memory. */
  readonly threads: Map<string, number>;
}

/** The register at an address, whichever frame is behind it. */
export function registerObject(mm: number, page: PageIndex): ObjectId {
  return objectId('user', REGISTER_OWNERS + mm, page);
}

/** What is under way that takes very much memory away, or forks. */
export const CALLS_OBJECT = objectId('user', REGISTER_OWNERS - 1, 0);

export function newRegisters(k: Kernel): Registers {
  return { k, spaces: new Map(), unsettled: [], forking: [], threads: new Map() };
}

/** Follows calls that take memory away, and pages that are lost with their device. */
export function followEvent(registers: Registers, event: Event): void {
  if (event.kind === 'attach') registers.threads.delete(event.actor);
  else if (event.kind === 'call' && event.function === 'fork') {
    // The child may have the name of a thread that is gone: where it runs shows with its first access.
    registers.threads.delete(String(event.args.child));
    const parent = registers.threads.get(event.actor);
    if (parent === undefined) return;
    touch(registers.k.context, CALLS_OBJECT, 'write');
    registers.forking.push({ actor: event.actor, parent, written: new Set() });
  } else if (event.kind === 'return' && event.function === 'fork') {
    touch(registers.k.context, CALLS_OBJECT, 'write');
    const at = registers.forking.findIndex((open) => open.actor === event.actor);
    const [ended] = at < 0 ? [] : registers.forking.splice(at, 1);
    if (ended !== undefined && event.result === 'OK') inherit(registers, ended);
  } else if (event.kind === 'call' && UNSETTLING.has(event.function)) {
    const unsettled = unsettledBy(event);
    registers.unsettled.push(unsettled);
    settle(registers, unsettled);
  } else if (event.kind === 'return' && UNSETTLING.has(event.function)) {
    const at = registers.unsettled.findIndex((open) => open.actor === event.actor);
    const [ended] = at < 0 ? [] : registers.unsettled.splice(at, 1);
    if (ended !== undefined) settle(registers, ended);
  } else if (event.kind === 'pte') followEntry(registers, event);
}

function followEntry(registers: Registers, event: Extract<Event, { kind: 'pte' }>): void {
  const { from, to } = event;
  const page = event.page as PageIndex;
  const space = registers.spaces.get(event.mm);
  if (space === undefined) return;
  if (from.state === 'device-private' && (to.state === 'none' || to.state === 'poison')) {
    touch(registers.k.context, registerObject(event.mm, page), 'write');
    space.values.delete(page);
  }
  if (!space.discardable.has(page)) return;
  touch(registers.k.context, registerObject(event.mm, page), 'write');
  if ('pfn' in from && to.state === 'none') space.cleared.set(page, from.pfn);
  // Another page than before: what MADV_FREE left was discarded.
  const filled = from.state === 'none' || from.state === 'zero';
  if (filled && 'pfn' in to && to.pfn !== space.cleared.get(page)) forget(space, page);
}

function forget(space: Space, page: PageIndex): void {
  space.values.delete(page);
  space.discardable.delete(page);
  space.cleared.delete(page);
}

/** The newest address space is the child's. */
function inherit(registers: Registers, { parent, written }: Forking): void {
  const child = Math.max(...registers.k.mms.keys());
  const from = spaceOf(registers, parent);
  const to = spaceOf(registers, child);
  for (const [page, value] of from.values) if (!written.has(page)) to.values.set(page, value);
  for (const page of from.discardable) to.discardable.add(page);
}

/** A page of `mm` is written: whoever forks it just now may or may not have copied it. */
function noteWritten(registers: Registers, mm: number, page: PageIndex): void {
  for (const open of registers.forking) if (open.parent === mm) open.written.add(page);
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

/**
 * What is in the ranges may have changed without an access: forget what was written, in every address space. What
 * MADV_FREE left may be discarded later, wherever mremap() puts it, unless somebody writes.
 */
function settle(registers: Registers, unsettled: Unsettled): void {
  touchRanges(registers, unsettled);
  const [from, to] = unsettled.ranges;
  for (const id of registers.k.mms.keys()) {
    const space = spaceOf(registers, id);
    for (const page of space.values.keys()) {
      if (isIn(unsettled.ranges, page)) space.values.delete(page);
    }
    if (unsettled.leaves === 'discardable') addMapped(registers, id, unsettled, space.discardable);
    if (from === undefined || to === undefined) continue;
    for (const page of [...space.discardable]) {
      if (isIn([from], page)) space.discardable.add((page - from.first + to.first) as PageIndex);
    }
  }
}

function touchRanges({ k }: Registers, { ranges }: Unsettled): void {
  if (k.context.footprint === 'off') return;
  for (const { first, end } of ranges) {
    if (end - first > NOTED_PAGES_MAX) touch(k.context, CALLS_OBJECT, 'write');
    else {
      for (let page = first; page < end; page += 1) {
        for (const mm of k.mms.keys()) {
          touch(k.context, registerObject(mm, page as PageIndex), 'write');
        }
      }
    }
  }
}

/** Mapped pages of the ranges that may have an entry: where there is no page table, there is nothing to discard. */
function addMapped(
  registers: Registers,
  mm: number,
  { ranges }: Unsettled,
  pages: Set<PageIndex>,
): void {
  const space = registers.k.mms.get(mm);
  if (space === undefined) return;
  const { vmas, table } = space;
  for (const { first, end } of ranges) {
    for (const vma of vmas) {
      for (let at = Math.max(first, vma.first); at < Math.min(end, vma.end); at += 1) {
        const page = at as PageIndex;
        // An empty entry may be one that is just being replaced.
        if (isHuge(table, page) || findPtePage(table, page) !== 'none') pages.add(page);
      }
    }
  }
}

function isIn(ranges: Unsettled['ranges'], page: number): boolean {
  return ranges.some((range) => range.first <= page && page < range.end);
}

/** Takes note of an access. Returns the value that a read should have found instead, or 'as expected'. */
export function checkRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  access: {
    readonly mode: 'read' | 'write';
    readonly value: string;
    readonly by: 'cpu' | 'device';
  },
): string {
  const { mode, value } = access;
  touch(registers.k.context, registerObject(mm, page), mode);
  touch(registers.k.context, CALLS_OBJECT, 'read');
  if (mode === 'write') noteWritten(registers, mm, page);
  const covered = registers.unsettled.some((open) => isIn(open.ranges, page));
  if (covered || !isRegister(registers.k, mm, page)) return 'as expected';
  const space = spaceOf(registers, mm);
  if (mode === 'write') {
    space.values.set(page, value);
    if (access.by === 'cpu') space.discardable.delete(page);
    return 'as expected';
  }
  if (space.discardable.has(page)) return 'as expected';
  const expected = space.values.get(page);
  if (expected === undefined) {
    // The first read settles what the others must find.
    touch(registers.k.context, registerObject(mm, page), 'write');
    space.values.set(page, value);
  }
  return expected === undefined || expected === value ? 'as expected' : expected;
}

/** What is known of the register at a page, as text: for whoever compares states. */
export function registerValue({ spaces }: Registers, mm: number, page: PageIndex): string {
  const space = spaces.get(mm);
  if (space === undefined) return '';
  const { values, discardable, cleared } = space;
  return `${values.get(page) ?? ''} ${discardable.has(page)} ${cleared.get(page) ?? ''}`;
}

/** An access while the page is in motion: what was written is not known any more, what was read proves nothing. */
export function loosenRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  mode: 'read' | 'write',
): void {
  if (mode === 'read') return;
  touch(registers.k.context, registerObject(mm, page), 'write');
  touch(registers.k.context, CALLS_OBJECT, 'read');
  noteWritten(registers, mm, page);
  registers.spaces.get(mm)?.values.delete(page);
}

function isRegister(k: Kernel, mm: number, page: PageIndex): boolean {
  const space = findMm(k, mm);
  const vma = space === undefined ? 'none' : vmaLookup(space.vmas, page);
  return vma !== 'none' && vma.kind === 'anon-private';
}

function spaceOf(registers: Registers, mm: number): Space {
  let space = registers.spaces.get(mm);
  if (space === undefined) {
    space = { values: new Map(), discardable: new Set(), cleared: new Map() };
    registers.spaces.set(mm, space);
  }
  return space;
}
