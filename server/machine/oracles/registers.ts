/**
 * Oracle 3's memory of what was written: each address of private anonymous memory is one register, whoever reads
 * or writes it. It is zero at birth and after DONTNEED, moves with mremap(), and a child begins with what its parent
 * held when it forked. Where a call overlaps with an access, more than one value is possible; where none does, exactly
 * one, whichever brackets, migrations and flushes are under way: a kernel that lets a CPU use a stale entry must see to
 * it that no other value can be read elsewhere.
 *
 * Leaves out: shared and file mappings, where an address names a page that others may write under another one.
 */

import type { Event } from '../../abi/event.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import { nextCovered } from '../../kernel/memory/page-table.ts';
import { isAnonymous, vmaLookup } from '../../kernel/memory/vma.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ORACLE_OWNERS } from '../../task/object-owners.ts';
import { nextPage, type PageIndex } from '../../vocabulary/address.ts';

/** Calls that take more pages than this are one object for an explorer. */
const NOTED_PAGES_MAX = 512;

/** What may stand in a register. */
type Possible = readonly string[] | 'anything';

const ZERO: Possible = ['0x0'];

/** Calls that change registers without an access. */
const CHANGING = new Set(['munmap', 'mremap', 'madvise_dontneed', 'madvise_free', 'exit']);

interface Span {
  readonly first: number;
  readonly end: number;
}

/** A call that has not returned. What is written meanwhile may come before it or behind it. */
interface OpenCall {
  readonly actor: string;
  readonly function: string;
  /** 'unknown': its thread is not known, so it may be about any address space. */
  readonly mm: number | 'unknown';
  /** The range of the call; of mremap() the target behind it. */
  readonly ranges: readonly [Span, ...Span[]];
  readonly written: Map<PageIndex, Possible>;
}

interface Space {
  /** Pages that are not in it hold zero. */
  readonly values: Map<PageIndex, Possible>;
  /**
   * MADV_FREE was here, and no CPU has written since. A device's write leaves the page clean, unless its driver marks
   * it dirty, so it does not keep the page.
   */
  readonly discardable: Set<PageIndex>;
}

/** A fork that has not returned: what is written meanwhile may or may not be the child's, too. */
interface Forking {
  readonly actor: string;
  readonly parent: number;
  /** The child's thread. */
  readonly child: string;
  /** What stood in registers that were written since. */
  readonly before: Map<PageIndex, Possible>;
}

export interface Registers {
  readonly k: Kernel;
  readonly spaces: Map<number, Space>;
  readonly calls: OpenCall[];
  readonly forking: Forking[];
}

/** The register at an address, whichever frame is behind it. */
export function registerObject(mm: number, page: PageIndex): ObjectId {
  return objectId('user', ORACLE_OWNERS.firstRegister + mm, page);
}

/** What is under way that takes very much memory away, or forks. */
export const CALLS_OBJECT = objectId('user', ORACLE_OWNERS.calls, 0);

export function newRegisters(k: Kernel): Registers {
  return { k, spaces: new Map(), calls: [], forking: [] };
}

/** Follows calls that change memory, and pages that are lost with their device. */
export function followEvent(registers: Registers, event: Event): void {
  if (event.kind === 'pte') followEntry(registers, event);
  else if (event.kind === 'call') followCall(registers, event);
  else if (event.kind === 'return') followReturn(registers, event);
}

function followCall(registers: Registers, event: Extract<Event, { kind: 'call' }>): void {
  const { k } = registers;
  const mm = spaceOfThread(k, event.actor);
  if (event.function === 'fork') {
    touch(k.context, CALLS_OBJECT, 'write');
    if (mm !== 'unknown') {
      const child = String(event.args.child);
      registers.forking.push({ actor: event.actor, parent: mm, child, before: new Map() });
    }
  } else if (CHANGING.has(event.function)) {
    const call = newCall(event, mm);
    registers.calls.push(call);
    touchRanges(registers, call);
    if (call.function.startsWith('madvise')) addZero(registers, call);
  }
}

function followReturn(registers: Registers, event: Extract<Event, { kind: 'return' }>): void {
  if (event.function === 'fork') {
    touch(registers.k.context, CALLS_OBJECT, 'write');
    const at = registers.forking.findIndex(({ actor }) => actor === event.actor);
    const [ended] = at < 0 ? [] : registers.forking.splice(at, 1);
    if (ended !== undefined && event.result === 'OK') inherit(registers, ended);
  } else if (CHANGING.has(event.function)) {
    const at = registers.calls.findIndex(({ actor }) => actor === event.actor);
    const [ended] = at < 0 ? [] : registers.calls.splice(at, 1);
    if (ended === undefined) return;
    touchRanges(registers, ended);
    for (const mm of spacesOf(registers, ended)) {
      if (hasActed(ended, event.result)) settle(registers, mm, ended);
      else if (ended.function === 'mremap') addZero(registers, ended);
    }
  }
}

/**
 * madvise_walk_vmas() advises what is mapped and returns ENOMEM for holes; FREE ends with EINVAL at the first mapping
 * that is not private and anonymous, and what lies before it is done. The other calls that fail change no register for
 * good.
 */
function hasActed({ function: called }: OpenCall, result: string): boolean {
  if (called === 'madvise_free') return true;
  return result === 'OK' || (called === 'madvise_dontneed' && result === 'ENOMEM');
}

function newCall(event: Extract<Event, { kind: 'call' }>, mm: OpenCall['mm']): OpenCall {
  const { first, end, to } = event.args;
  const from = { first: Number(first ?? 0), end: Number(end ?? Number.POSITIVE_INFINITY) };
  const ranges: OpenCall['ranges'] =
    typeof to === 'number' ? [from, { first: to, end: to + from.end - from.first }] : [from];
  return { actor: event.actor, function: event.function, mm, ranges, written: new Map() };
}

/** The address space that the newest CPU of this name runs in. */
function spaceOfThread(k: Kernel, thread: string): number | 'unknown' {
  for (const mm of [...k.mms.values()].reverse()) {
    if (mm.tlbs.some(({ cpu }) => cpu === thread)) return mm.id;
  }
  return 'unknown';
}

function spacesOf({ k }: Registers, { mm }: OpenCall): readonly number[] {
  return mm === 'unknown' ? [...k.mms.keys()] : [mm];
}

/** Whatever stands in the ranges, it may be zero as well. */
function addZero(registers: Registers, call: OpenCall): void {
  for (const mm of spacesOf(registers, call)) {
    const { values } = spaceOf(registers, mm);
    for (const [page, possible] of values) {
      if (isIn(call.ranges, page)) values.set(page, either(possible, ZERO));
    }
  }
}

/** The call has done what it was asked to, as far as its range is mapped. */
function settle(registers: Registers, mm: number, call: OpenCall): void {
  const space = spaceOf(registers, mm);
  const [from, to] = call.ranges;
  switch (call.function) {
    case 'exit':
      registers.spaces.delete(mm);
      return;
    case 'madvise_free':
      addFreed(registers, mm, from, space.discardable);
      return;
    case 'mremap':
      if (to !== undefined) move(space, from, to, call);
      return;
    case 'munmap':
      forgetRange(space, from);
      return;
    default:
      dropPrivate(registers, mm, space, call);
  }
}

/** DONTNEED of private anonymous memory: zero, unless somebody has written since. */
function dropPrivate(registers: Registers, mm: number, space: Space, call: OpenCall): void {
  const [range] = call.ranges;
  for (const page of [...space.values.keys()]) {
    if (!(isIn([range], page) && isRegister(registers.k, mm, page))) continue;
    const written = call.written.get(page);
    setValue(space, page, written === undefined ? ZERO : either(written, ZERO));
  }
  for (const page of space.discardable) if (isIn([range], page)) space.discardable.delete(page);
}

function move(space: Space, from: Span, to: Span, { written }: OpenCall): void {
  const { values, discardable } = space;
  const moved = [...values].filter(([page]) => isIn([from], page));
  const lazy = [...discardable].filter((page) => isIn([from], page));
  forgetRange(space, to);
  forgetRange(space, from);
  for (const [page, possible] of moved) values.set(movedPage(page, from, to), possible);
  for (const page of lazy) discardable.add(movedPage(page, from, to));
  for (const [page, value] of written) {
    if (isIn([to], page)) setValue(space, page, either(values.get(page) ?? ZERO, value));
  }
}

function movedPage(page: PageIndex, from: Span, to: Span): PageIndex {
  return (page - from.first + to.first) as PageIndex;
}

function forgetRange({ values, discardable }: Space, range: Span): void {
  for (const page of values.keys()) if (isIn([range], page)) values.delete(page);
  for (const page of discardable) if (isIn([range], page)) discardable.delete(page);
}

/** What a device had in its memory is lost with it. */
function followEntry(registers: Registers, event: Extract<Event, { kind: 'pte' }>): void {
  const { from, to } = event;
  if (from.state !== 'device-private' || to.state !== 'poison') return;
  const page = event.page as PageIndex;
  touch(registers.k.context, registerObject(event.mm, page), 'write');
  spaceOf(registers, event.mm).values.set(page, 'anything');
}

function inherit(registers: Registers, { parent, child: thread, before }: Forking): void {
  const { k } = registers;
  const child = spaceOfThread(k, thread);
  if (child === 'unknown') return;
  const from = spaceOf(registers, parent);
  const to = spaceOf(registers, child);
  for (const [page, possible] of from.values) {
    const copied = before.get(page);
    touch(k.context, registerObject(child, page), 'write');
    setValue(to, page, copied === undefined ? possible : either(copied, possible));
  }
  for (const page of from.discardable) to.discardable.add(page);
}

/** A page of `mm` is about to be written: whoever forks it just now may or may not have copied it. */
function noteWriting({ forking }: Registers, mm: number, page: PageIndex, before: Possible): void {
  for (const open of forking) {
    if (open.parent !== mm) continue;
    open.before.set(page, either(open.before.get(page) ?? before, before));
  }
}

function touchRanges(registers: Registers, call: OpenCall): void {
  const { k } = registers;
  if (k.context.footprint === 'off') return;
  for (const { first, end } of call.ranges) {
    if (end - first > NOTED_PAGES_MAX) touch(k.context, CALLS_OBJECT, 'write');
    else {
      for (let page = first; page < end; page += 1) {
        for (const mm of spacesOf(registers, call)) {
          touch(k.context, registerObject(mm, page as PageIndex), 'write');
        }
      }
    }
  }
}

/**
 * Pages that MADV_FREE came to and that may have an entry: where there is no page table, there is nothing to discard.
 */
function addFreed({ k }: Registers, mm: number, range: Span, pages: Set<PageIndex>): void {
  const space = k.mms.get(mm);
  if (space === undefined) return;
  const { vmas, table } = space;
  for (const vma of vmas) {
    const until = Math.min(range.end, vma.end) as PageIndex;
    let page = Math.max(range.first, vma.first) as PageIndex;
    if (page < until && !isAnonymous(vma)) return;
    // An empty entry may be one that is just being replaced.
    for (; page < until; page = nextPage(page)) {
      page = nextCovered(table, page, until);
      if (page < until) pages.add(page);
    }
  }
}

function isIn(ranges: readonly Span[], page: number): boolean {
  return ranges.some((range) => range.first <= page && page < range.end);
}

function either(a: Possible, b: Possible): Possible {
  if (a === 'anything' || b === 'anything') return 'anything';
  const more = b.filter((value) => !a.includes(value));
  return more.length === 0 ? a : [...a, ...more].sort();
}

function setValue({ values }: Space, page: PageIndex, possible: Possible): void {
  if (possible !== 'anything' && possible.length === 1 && possible[0] === '0x0')
    values.delete(page);
  else values.set(page, possible);
}

/** An access of a register. */
export interface RegisterAccess {
  readonly mode: 'read' | 'write';
  readonly value: string;
  readonly by: 'cpu' | 'device';
}

/** Takes note of an access. Returns the value that a read should have found instead, or 'as expected'. */
export function checkRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  access: RegisterAccess,
): string {
  const { k } = registers;
  touch(k.context, registerObject(mm, page), access.mode);
  touch(k.context, CALLS_OBJECT, 'read');
  if (!isRegister(k, mm, page)) return 'as expected';
  const open = registers.calls.filter(
    (call) => (call.mm === mm || call.mm === 'unknown') && isIn(call.ranges, page),
  );
  if (access.mode === 'write') {
    noteWrite(registers, mm, page, access, open);
    return 'as expected';
  }
  // What moves or goes as a whole may be read at either place, or not at all.
  if (open.some((call) => !call.function.startsWith('madvise'))) return 'as expected';
  const space = spaceOf(registers, mm);
  const possible = space.values.get(page) ?? ZERO;
  if (possible !== 'anything' && !possible.includes(access.value)) return possible.join(' or ');
  if (open.length === 0 && !space.discardable.has(page) && possible.length > 1) {
    // The first read settles what the others must find.
    touch(k.context, registerObject(mm, page), 'write');
    setValue(space, page, [access.value]);
  }
  return 'as expected';
}

function noteWrite(
  registers: Registers,
  mm: number,
  page: PageIndex,
  { value, by }: RegisterAccess,
  open: readonly OpenCall[],
): void {
  const space = spaceOf(registers, mm);
  const before = space.values.get(page) ?? ZERO;
  noteWriting(registers, mm, page, before);
  for (const call of open)
    call.written.set(page, either(call.written.get(page) ?? [value], [value]));
  const kept = open.length > 0 || (by === 'device' && space.discardable.has(page));
  setValue(space, page, kept ? either(before, [value]) : [value]);
  if (by === 'cpu' && open.length === 0) space.discardable.delete(page);
}

/** What is known of the register at a page, as text: for whoever compares states. */
export function registerValue(registers: Registers, mm: number, page: PageIndex): string {
  const { spaces, calls, forking } = registers;
  const space = spaces.get(mm);
  let text = space === undefined ? '' : `${space.values.get(page)} ${space.discardable.has(page)}`;
  for (const call of calls) if (call.mm === mm) text += ` ${call.actor} ${call.written.get(page)}`;
  for (const open of forking) if (open.parent === mm) text += ` ${open.before.get(page)}`;
  return text;
}

/** A device wrote while the page is in motion, to a copy that may be kept or not. What it reads then proves nothing. */
export function loosenRegister(
  registers: Registers,
  mm: number,
  page: PageIndex,
  { mode, value }: Pick<RegisterAccess, 'mode' | 'value'>,
): void {
  if (mode === 'read') return;
  touch(registers.k.context, registerObject(mm, page), 'write');
  touch(registers.k.context, CALLS_OBJECT, 'read');
  const space = spaceOf(registers, mm);
  const before = space.values.get(page) ?? ZERO;
  noteWriting(registers, mm, page, before);
  setValue(space, page, either(before, [value]));
}

function isRegister(k: Kernel, mm: number, page: PageIndex): boolean {
  const space = findMm(k, mm);
  const vma = space === undefined ? 'none' : vmaLookup(space.vmas, page);
  return vma !== 'none' && isAnonymous(vma);
}

function spaceOf(registers: Registers, mm: number): Space {
  let space = registers.spaces.get(mm);
  if (space === undefined) {
    space = { values: new Map(), discardable: new Set() };
    registers.spaces.set(mm, space);
  }
  return space;
}
