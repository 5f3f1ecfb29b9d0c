/**
 * Oracle 3's memory of what was written: each address of private memory is one register, whichever actor reads or
 * writes it. It is zero, or what the file holds, at birth and after DONTNEED, moves with mremap(), and a child begins
 * with what its parent held when it forked. Where a call overlaps with an access, more than one value is possible;
 * where none does, exactly one, whichever brackets, migrations and flushes there are: a kernel that lets a CPU use a
 * stale entry must see to it that no other value can be read elsewhere.
 *
 * Shared mappings, where an address names a page that others reach under another one: shared-pages.ts. A private
 * mapping of a file shows the file's page until the first write fault copies it: from then on what the page held then,
 * or some writes before, as a copy is made before it is mapped.
 */

import type { Event } from '../../abi/event.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import { isStable } from '../../kernel/memory/address-space-stability.ts';
import { contentsOf, hasFlag, PAGE_ANON } from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import { entriesOf, nextCovered } from '../../kernel/memory/page-table.ts';
import { isAnonymous, isShared, vmaLookup } from '../../kernel/memory/vma.ts';
import { vmaOfEntry } from '../../kernel/memory/vma-adjust.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ORACLE_OWNERS } from '../../task/object-owners.ts';
import { nextPage, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { firstWord } from '../../vocabulary/page-contents.ts';
import {
  addPins,
  forgetPins,
  movePins,
  type PinnedPages,
  removePins,
  type Span,
  takePins,
} from './pinned-pages.ts';
import {
  checkSharedPage,
  emptySharedPage,
  filePageAt,
  heldBy,
  loosenSharedPage,
  type SharedPages,
} from './shared-pages.ts';

/** Calls that take more pages than this are one object for an explorer. */
const NOTED_PAGES_MAX = 512;

/** What may stand in a register; OF_FILE: whatever the file's page holds. */
type Possible = readonly string[] | 'anything';

const ZERO: Possible = ['0x0'];
const OF_FILE = 'the file';
const FILE: Possible = [OF_FILE];

/** Calls that change registers without an access. */
const CHANGING = new Set(['munmap', 'mremap', 'madvise_dontneed', 'madvise_free', 'exit']);

const PINNING = new Set(['pin_user_pages', 'pin_user_pages_fast', 'unpin_user_pages']);

/** Threads of one process may bear the name of one actor. */
interface Caller {
  readonly actor: string;
  readonly task: string;
}

/**
 * The address space of a thread. 'gone': its process has exited, so that there is nothing left to change. 'unknown': no
 * CPU bears its name, so it may be about any address space.
 */
type ThreadSpace = number | 'gone' | 'unknown';

/** A call that has not returned. What is written meanwhile may come before it or behind it. */
interface OpenCall extends Caller {
  readonly function: string;
  readonly mm: ThreadSpace;
  /** The range of the call; of mremap() the target behind it. */
  readonly ranges: readonly [Span, ...Span[]];
  readonly written: Map<PageIndex, Possible>;
  /** Where files or shared memory are, or come meanwhile: what may be read there then is not known. */
  readonly ofFiles: Span[];
}

interface Space {
  /** Pages that are not in it hold what they are born with. */
  readonly values: Map<PageIndex, Possible>;
  /**
   * MADV_FREE was here, and no CPU has written since. A device's write leaves the page clean, unless its driver marks
   * it dirty, so it does not keep the page.
   */
  readonly discardable: Set<PageIndex>;
}

/** A fork that has not returned: what is written meanwhile may or may not be the child's, too. */
interface Forking extends Caller {
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
  /** Threads whose process has exited, or is about to. */
  readonly exited: Set<string>;
  readonly shared: SharedPages;
  readonly pins: PinnedPages;
}

/** The register at an address, whichever frame is behind it. */
export function registerObject(mm: number, page: PageIndex): ObjectId {
  return objectId('user', ORACLE_OWNERS.firstRegister + mm, page);
}

/** What is under way that takes very much memory away, or forks. */
export const CALLS_OBJECT = objectId('user', ORACLE_OWNERS.calls, 0);

export function newRegisters(k: Kernel): Registers {
  const nothing = { spaces: new Map(), calls: [], forking: [], exited: new Set<string>() };
  return { k, ...nothing, shared: new Map(), pins: new Map() };
}

/** Follows calls that change memory, and pages that are lost with their device. */
export function followEvent(registers: Registers, event: Event): void {
  if (event.kind === 'pte') followEntry(registers, event);
  else if (event.kind === 'vma') followMapping(registers, event);
  else if (event.kind === 'call') followCall(registers, event);
  else if (event.kind === 'return') followReturn(registers, event);
}

function followCall(registers: Registers, event: Extract<Event, { kind: 'call' }>): void {
  const { k } = registers;
  const mm = spaceOfThread(registers, event.actor);
  if (event.function === 'fork') {
    touch(k.context, CALLS_OBJECT, 'write');
    if (typeof mm === 'number') {
      const { actor, task } = event;
      const child = String(event.args.child);
      registers.forking.push({ actor, task, parent: mm, child, before: new Map() });
    }
  } else if (CHANGING.has(event.function)) {
    const call = newCall(registers, event, mm);
    registers.calls.push(call);
    touchRanges(registers, call);
    if (typeof mm === 'number' && call.function !== 'madvise_free') {
      takePins(registers.pins, mm, call.ranges);
    }
    if (call.function === 'exit') noteExit(registers, mm);
    if (call.function.startsWith('madvise')) addBirth(registers, call);
  } else if (event.function === 'truncate_inode_folio') {
    emptySharedPage(k, registers.shared, Number(event.args.file), Number(event.args.offset));
  } else if (PINNING.has(event.function) && typeof mm === 'number') {
    followPins(registers, mm, event);
  }
}

function followPins(
  registers: Registers,
  mm: number,
  event: Extract<Event, { kind: 'call' }>,
): void {
  touchRanges(registers, newCall(registers, event, mm));
  if (event.function === 'unpin_user_pages') removePins(registers.pins, mm, event);
  else {
    addPins(registers.pins, mm, event, (page) =>
      registers.calls.some((call) => call.mm === mm && isIn(call.ranges, page)),
    );
  }
}

function followReturn(registers: Registers, event: Extract<Event, { kind: 'return' }>): void {
  if (event.function === 'fork') {
    touch(registers.k.context, CALLS_OBJECT, 'write');
    const ended = takeOut(registers.forking, event);
    if (ended !== undefined && event.result === 'OK') inherit(registers, ended);
  } else if (CHANGING.has(event.function)) {
    const ended = takeOut(registers.calls, event);
    if (ended === undefined) return;
    touchRanges(registers, ended);
    for (const mm of spacesOf(registers, ended)) {
      if (hasActed(ended, event.result)) settle(registers, mm, ended);
      else if (ended.function === 'mremap') addBirth(registers, ended);
    }
  }
}

function noteExit({ k, exited }: Registers, mm: ThreadSpace): void {
  if (typeof mm !== 'number') return;
  for (const { cpu } of k.mms.get(mm)?.tlbs ?? []) exited.add(cpu);
}

/** What `caller` began. */
function takeOut<Begun extends Caller>(open: Begun[], { actor, task }: Caller): Begun | undefined {
  const at = open.findIndex((one) => one.actor === actor && one.task === task);
  return at < 0 ? undefined : open.splice(at, 1)[0];
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

function newCall(
  { k }: Registers,
  event: Extract<Event, { kind: 'call' }>,
  mm: OpenCall['mm'],
): OpenCall {
  const { first, end, to } = event.args;
  const from = { first: Number(first ?? 0), end: Number(end ?? Number.POSITIVE_INFINITY) };
  const ranges: OpenCall['ranges'] =
    typeof to === 'number' ? [from, { first: to, end: to + from.end - from.first }] : [from];
  const { actor, task, function: called } = event;
  const vmas = typeof mm === 'number' ? (k.mms.get(mm)?.vmas ?? []) : [];
  const ofFiles = vmas.filter((vma) => !isAnonymous(vma));
  return { actor, task, function: called, mm, ranges, written: new Map(), ofFiles };
}

/** Where a call is taking pages away another one has put others. */
function followMapping({ calls }: Registers, event: Extract<Event, { kind: 'vma' }>): void {
  const { actor, task, change, mm, first, end } = event;
  if (change === 'munmap' || change === 'mprotect' || change === 'mmap anon-private') return;
  for (const call of calls) {
    const isItsOwn = call.actor === actor && call.task === task;
    if (call.mm === mm && !isItsOwn) call.ofFiles.push({ first, end });
  }
}

/** What may be read at a page of `mm`: while calls move it or take it away, also what stands at the other place. */
function mayHold(registers: Registers, mm: number, page: PageIndex): Possible {
  const { k, calls } = registers;
  const { values } = spaceOf(registers, mm);
  let possible: Possible = values.get(page) ?? bornAt(k, mm, page);
  // A set that grows while it is walked.
  const places = new Set([page]);
  for (const place of places) {
    touch(k.context, registerObject(mm, place), 'read');
    possible = either(possible, values.get(place) ?? bornAt(k, mm, place));
    for (const call of calls) {
      if (call.mm !== mm || !takesAway(call) || !isIn(call.ranges, place)) continue;
      if (isIn(call.ofFiles, place)) return 'anything';
      possible = either(possible, bornAt(k, mm, place));
      for (const other of otherPlaces(call, place)) places.add(other);
    }
  }
  return possible;
}

/** Where mremap() takes the page to or has it from. */
function* otherPlaces({ ranges: [from, to] }: OpenCall, page: PageIndex): Iterable<PageIndex> {
  if (to === undefined) return;
  if (isIn([from], page)) yield movedPage(page, from, to);
  if (isIn([to], page)) yield movedPage(page, to, from);
}

function takesAway({ function: called }: OpenCall): boolean {
  return !called.startsWith('madvise');
}

/** The address space that the newest CPU of this name runs in. */
export function spaceOfThread({ k, exited }: Registers, thread: string): ThreadSpace {
  for (const mm of [...k.mms.values()].reverse()) {
    if (mm.tlbs.some(({ cpu }) => cpu === thread)) return mm.id;
  }
  return exited.has(thread) ? 'gone' : 'unknown';
}

function spacesOf({ k }: Registers, { mm }: OpenCall): readonly number[] {
  if (mm === 'gone') return [];
  return mm === 'unknown' ? [...k.mms.keys()] : [mm];
}

/** Whatever stands in the ranges, it may be as at its birth. */
function addBirth(registers: Registers, call: OpenCall): void {
  for (const mm of spacesOf(registers, call)) {
    const { values } = spaceOf(registers, mm);
    for (const [page, possible] of values) {
      if (!isIn(call.ranges, page)) continue;
      values.set(page, either(possible, bornAt(registers.k, mm, page)));
    }
  }
}

/** What a private page holds that no task has written to. */
function bornAt(k: Kernel, mm: number, page: PageIndex): Possible {
  return filePageAt(k, mm, page, 'private') === 'none' ? ZERO : FILE;
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
      if (to === undefined) return;
      move(registers, mm, { from, to, written: call.written });
      movePins(registers.pins, mm, from, to);
      return;
    case 'munmap':
      forgetPins(registers.pins, mm, from);
      forgetRange(space, from);
      return;
    default:
      dropPrivate(registers, mm, space, call);
  }
}

/**
 * DONTNEED of private memory: as at its birth, unless it was written since. A mapping that munmap() is taking away it
 * may have come to before, or not found any more.
 */
function dropPrivate(registers: Registers, mm: number, space: Space, call: OpenCall): void {
  const [range] = call.ranges;
  for (const page of [...space.values.keys()]) {
    if (!(isIn([range], page) && isRegister(registers.k, mm, page))) continue;
    const leaving = isLeaving(registers.k, mm, page);
    const written = call.written.get(page) ?? (leaving ? space.values.get(page) : undefined);
    const born = bornAt(registers.k, mm, page);
    setValue(space, page, written === undefined ? born : either(written, born), born);
  }
  for (const page of space.discardable) {
    if (isIn([range], page) && !isLeaving(registers.k, mm, page)) space.discardable.delete(page);
  }
}

interface Moved {
  readonly from: Span;
  readonly to: Span;
  readonly written: OpenCall['written'];
}

function move(registers: Registers, mm: number, { from, to, written }: Moved): void {
  const space = spaceOf(registers, mm);
  const { values, discardable } = space;
  const moved = [...values].filter(([page]) => isIn([from], page));
  const lazy = [...discardable].filter((page) => isIn([from], page));
  forgetRange(space, to);
  forgetRange(space, from);
  for (const [page, possible] of moved) values.set(movedPage(page, from, to), possible);
  for (const page of lazy) discardable.add(movedPage(page, from, to));
  for (const [page, value] of written) {
    if (!isIn([to], page)) continue;
    const born = bornAt(registers.k, mm, page);
    setValue(space, page, either(values.get(page) ?? born, value), born);
  }
}

function movedPage(page: PageIndex, from: Span, to: Span): PageIndex {
  return (page - from.first + to.first) as PageIndex;
}

function forgetRange({ values, discardable }: Space, range: Span): void {
  for (const page of values.keys()) if (isIn([range], page)) values.delete(page);
  for (const page of discardable) if (isIn([range], page)) discardable.delete(page);
}

/** What a device had in its memory is lost with it, and what is copied from a file is the file's no more. */
function followEntry(registers: Registers, event: Extract<Event, { kind: 'pte' }>): void {
  const { from, to } = event;
  if (to.state === 'present') followCopy(registers, event, to.pfn as Pfn);
  if (from.state !== 'device-private' || to.state !== 'poison') return;
  const page = event.page as PageIndex;
  touch(registers.k.context, registerObject(event.mm, page), 'write');
  spaceOf(registers, event.mm).values.set(page, 'anything');
}

function followCopy(
  registers: Registers,
  { mm, page: number }: Extract<Event, { kind: 'pte' }>,
  pfn: Pfn,
): void {
  const { k, shared } = registers;
  const page = number as PageIndex;
  const file = filePageAt(k, mm, page, 'private');
  if (file === 'none' || !hasFlag(k.frames, pfn, PAGE_ANON)) return;
  const space = spaceOf(registers, mm);
  const possible = space.values.get(page) ?? FILE;
  if (possible === 'anything' || !possible.includes(OF_FILE)) return;
  touch(k.context, registerObject(mm, page), 'write');
  touch(k.context, file.object, 'read');
  const held = heldBy(k, shared, file);
  const copied = held === 'anything' ? held : copyOf(held, firstWord(contentsOf(k.frames, pfn)));
  const own = possible.filter((value) => value !== OF_FILE);
  space.values.set(page, either(copied, own));
}

/** The page held it once, so it may have been copied then; else the last must have been. */
function copyOf(held: readonly string[], word: string): Possible {
  const last = held.slice(-1);
  return held.includes(word) ? either(last, [word]) : last;
}

function inherit(registers: Registers, { parent, child: thread, before }: Forking): void {
  const { k } = registers;
  const child = spaceOfThread(registers, thread);
  if (typeof child !== 'number') return;
  const from = spaceOf(registers, parent);
  const to = spaceOf(registers, child);
  for (const [page, possible] of from.values) {
    const copied = before.get(page);
    touch(k.context, registerObject(child, page), 'write');
    if (isReaped(k, parent)) to.values.set(page, 'anything');
    else {
      const value = copied === undefined ? possible : either(copied, possible);
      setValue(to, page, value, bornAt(k, child, page));
    }
  }
  for (const page of from.discardable) to.discardable.add(page);
}

/** The OOM reaper was here: its own threads get SIGBUS, and a child may have been copied before or behind it. */
function isReaped(k: Kernel, mm: number): boolean {
  const space = k.mms.get(mm);
  return space !== undefined && !isStable(k, space);
}

/** A page of `mm` is about to be written: a task that forks it just now may or may not have copied it. */
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

function setValue({ values }: Space, page: PageIndex, possible: Possible, born: Possible): void {
  if (possible.length === 1 && possible[0] === born[0]) values.delete(page);
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
  const shared = filePageAt(k, mm, page, 'shared');
  if (shared !== 'none') return checkSharedPage(k, registers.shared, shared, access);
  touch(k.context, registerObject(mm, page), access.mode);
  touch(k.context, CALLS_OBJECT, 'read');
  const open = registers.calls.filter((call) => call.mm === mm && isIn(call.ranges, page));
  const taking = open.filter(takesAway);
  if (!isRegister(k, mm, page)) {
    // munmap() takes the mapping first, then the page.
    if (taking.length === 0 || taking.some(({ ofFiles }) => isIn(ofFiles, page))) {
      return 'as expected';
    }
  }
  if (access.mode === 'write') {
    noteWrite(registers, mm, page, access, open);
    return 'as expected';
  }
  const space = spaceOf(registers, mm);
  const born = bornAt(k, mm, page);
  const possible =
    taking.length > 0 ? mayHold(registers, mm, page) : (space.values.get(page) ?? born);
  if (possible === 'anything') return 'as expected';
  const found = possible.filter((one) => isValue(registers, mm, page, one, access.value));
  if (found.length === 0) return inWords(registers, mm, page, possible);
  if (open.length === 0 && !space.discardable.has(page) && found.length < possible.length) {
    // The first read settles what the others must find.
    touch(k.context, registerObject(mm, page), 'write');
    setValue(space, page, found, born);
  }
  return 'as expected';
}

/** A register that may hold `possible` can be read as `value`. */
function isValue(
  registers: Registers,
  mm: number,
  page: PageIndex,
  possible: string,
  value: string,
): boolean {
  if (possible !== OF_FILE) return possible === value;
  const last = lastOfFile(registers, mm, page);
  return last === 'anything' || last === value;
}

function inWords(
  registers: Registers,
  mm: number,
  page: PageIndex,
  possible: readonly string[],
): string {
  return possible
    .map((one) => (one === OF_FILE ? lastOfFile(registers, mm, page) : one))
    .join(' or ');
}

/** What a private mapping of a file shows before the first write. */
function lastOfFile({ k, shared }: Registers, mm: number, page: PageIndex): string | 'anything' {
  const file = filePageAt(k, mm, page, 'private');
  if (file === 'none') return 'anything';
  touch(k.context, file.object, 'read');
  const held = heldBy(k, shared, file);
  return held === 'anything' ? held : (held.at(-1) ?? 'anything');
}

function noteWrite(
  registers: Registers,
  mm: number,
  page: PageIndex,
  { value, by }: RegisterAccess,
  open: readonly OpenCall[],
): void {
  const space = spaceOf(registers, mm);
  const born = bornAt(registers.k, mm, page);
  const before = space.values.get(page) ?? born;
  noteWriting(registers, mm, page, before);
  for (const call of open)
    call.written.set(page, either(call.written.get(page) ?? [value], [value]));
  const kept = open.length > 0 || (by === 'device' && space.discardable.has(page));
  setValue(space, page, kept ? either(before, [value]) : [value], born);
  if (by === 'cpu' && open.length === 0) space.discardable.delete(page);
}

/** A page whose register cannot hold what stands there. */
export interface LostValue {
  readonly mm: number;
  readonly page: PageIndex;
  readonly found: string;
  readonly expected: string;
}

/**
 * At rest: every address is read once more, by a look. `valueAt` says what a read would find, or 'unknown'. Whatever
 * was lost on the way is found here, even if no actor reads it again.
 */
export function* lostValues(
  registers: Registers,
  valueAt: (mm: Mm, page: PageIndex) => string | 'unknown',
): Iterable<LostValue> {
  const { k, spaces, calls, forking } = registers;
  if (calls.length > 0 || forking.length > 0) return;
  for (const mm of k.mms.values()) {
    if (!(mm.alive && isStable(k, mm))) continue;
    const known = spaces.get(mm.id)?.values ?? new Map<PageIndex, Possible>();
    const pages = new Set([...known.keys(), ...[...entriesOf(mm.table)].map(([page]) => page)]);
    for (const page of [...pages].sort((a, b) => a - b)) {
      const possible = known.get(page) ?? bornAt(k, mm.id, page);
      if (possible === 'anything' || !isRegister(k, mm.id, page)) continue;
      const found = valueAt(mm, page);
      if (found === 'unknown') continue;
      if (possible.some((one) => isValue(registers, mm.id, page, one, found))) continue;
      yield { mm: mm.id, page, found, expected: inWords(registers, mm.id, page, possible) };
    }
  }
}

/** What is known of the register at a page, as text, to compare states. */
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
  const shared = filePageAt(registers.k, mm, page, 'shared');
  if (shared !== 'none') {
    loosenSharedPage(registers.k, registers.shared, shared);
    return;
  }
  touch(registers.k.context, registerObject(mm, page), 'write');
  touch(registers.k.context, CALLS_OBJECT, 'read');
  const space = spaceOf(registers, mm);
  const born = bornAt(registers.k, mm, page);
  const before = space.values.get(page) ?? born;
  noteWriting(registers, mm, page, before);
  setValue(space, page, either(before, [value]), born);
}

/** Its mapping is out of the list, and some of its entries may still be there. */
function isLeaving(k: Kernel, mm: number, page: PageIndex): boolean {
  const space = findMm(k, mm);
  return space !== undefined && vmaLookup(space.vmas, page) === 'none';
}

function isRegister(k: Kernel, mm: number, page: PageIndex): boolean {
  const space = findMm(k, mm);
  const vma = space === undefined ? 'none' : vmaOfEntry(k, space, page);
  return vma !== 'none' && !isShared(vma);
}

function spaceOf(registers: Registers, mm: number): Space {
  let space = registers.spaces.get(mm);
  if (space === undefined) {
    space = { values: new Map(), discardable: new Set() };
    registers.spaces.set(mm, space);
  }
  return space;
}
