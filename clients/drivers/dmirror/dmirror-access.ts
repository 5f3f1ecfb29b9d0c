/**
 * What the device's own engine does: read and write memory through the device page table.
 *
 * Models: dmirror_read(), dmirror_write(), dmirror_do_read(), dmirror_do_write() of lib/test_hmm.c
 * (6.1). The copy runs under the driver lock, page by page in order, and stops at the first entry
 * that is missing.
 * Leaves out: accesses of less than a page.
 */

import type { DmaTarget } from '../../../server/abi/device-api.ts';
import { assertHeld, type Held } from '../../../server/task/lock.ts';
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import {
  nextPage,
  type PageIndex,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import { fail, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { PageContents } from '../../../server/vocabulary/page-contents.ts';
import {
  deviceFrameObject,
  ownsFrame,
  readDeviceFrame,
  writeDeviceFrame,
} from '../hardware/device-memory.ts';
import { entryAt, entryObject, type MappedEntry } from '../hardware/device-page-table.ts';
import { dmirrorFault } from './dmirror-fault.ts';
import { DMIRROR_BATCH_PAGES, type Dmirror, withDriverLock } from './dmirror-state.ts';

/** What was read, page by page, without faulting. */
export interface DmirrorCopied {
  readonly values: readonly PageContents[];
  /** Pages copied. */
  readonly cpages: number;
}

export interface DmirrorRead extends DmirrorCopied {
  readonly faults: number;
}

export interface DmirrorWritten {
  readonly cpages: number;
  readonly faults: number;
}

/**
 * Holds:   nothing. Takes: driver_lock, and what dmirrorFault() takes, in turn. Yields: yes.
 * Returns: the whole range; or the errno of a fault; EBUSY if entries were lost `retriesMax` times
 *          in a row.
 */
export function* dmirrorRead(dmirror: Dmirror, range: PageRange): Task<Result<DmirrorRead>> {
  const values: PageContents[] = [];
  const copied = yield* copyWithFaults(dmirror, range, 'read', (rest) =>
    withDriverLock(dmirror, 'dmirror_read.lock', (held) => copyOut(held, dmirror, rest, values)),
  );
  return copied.ok ? ok({ values, ...copied.value }) : copied;
}

/**
 * Writes whole pages: `contents` has one entry a page of `range`.
 *
 * Holds:   nothing. Takes: driver_lock, and what dmirrorFault() takes, in turn. Yields: yes.
 * Returns: as dmirrorRead(). Pages before the one that failed are written.
 */
export function* dmirrorWrite(
  dmirror: Dmirror,
  range: PageRange,
  contents: readonly PageContents[],
): Task<Result<DmirrorWritten>> {
  return yield* copyWithFaults(dmirror, range, 'write', (rest) =>
    withDriverLock(dmirror, 'dmirror_write.lock', (held) =>
      copyIn(held, dmirror, rest, contents.slice(rest.first - range.first)),
    ),
  );
}

/**
 * Reads `range` as far as the device page table has it, as a verb does that reports what it moved.
 *
 * Takes:   driver_lock.
 * Returns: ENOENT if an entry is missing.
 */
export function* dmirrorReadMapped(
  dmirror: Dmirror,
  range: PageRange,
): Task<Result<DmirrorCopied>> {
  const values: PageContents[] = [];
  const copied = yield* withDriverLock(dmirror, 'dmirror_do_read.lock', (held) =>
    copyOut(held, dmirror, range, values),
  );
  if (!copied.ok) return copied;
  return copied.value < range.end ? fail('ENOENT') : ok({ values, cpages: values.length });
}

/**
 * Copies from `rest.first` on. Returns: the first page that has no entry for this access, or the
 * end.
 */
type Copy = (rest: PageRange) => Task<Result<PageIndex>>;

function* copyWithFaults(
  dmirror: Dmirror,
  range: PageRange,
  access: 'read' | 'write',
  copy: Copy,
): Task<Result<DmirrorWritten>> {
  let first = range.first;
  let stuck = 0;
  for (let faults = 0; ; faults += 1) {
    const copied = yield* copy(pageRange(first, range.end));
    if (!copied.ok) return copied;
    if (copied.value === range.end) return ok({ cpages: range.end - range.first, faults });
    stuck = copied.value === first ? stuck + 1 : 0;
    if (stuck > dmirror.retriesMax) return fail('EBUSY');
    first = copied.value;
    const faulted = yield* dmirrorFault(dmirror, pageRange(first, range.end), access);
    if (!faulted.ok) return faulted;
  }
}

/**
 * Appends to `values`. Holds: driver_lock. Returns: the first page without an entry, or range.end.
 */
function* copyOut(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  range: PageRange,
  values: PageContents[],
): Task<Result<PageIndex>> {
  let page = range.first;
  while (page < range.end) {
    const run = yield* systemRun(held, dmirror, pageRange(page, range.end), 'read');
    if (run.targets.length > 0) {
      const read = yield* dmirror.api.dmaRead(run.targets);
      if (!read.ok) return read;
      values.push(...read.value);
    }
    page = run.stoppedAt;
    if (run.because === 'full') continue;
    if (run.because !== 'private') return ok(page);
    yield willRead('dmirror_do_read.private', deviceFrameObject(dmirror.memory, run.entry.pfn));
    const contents = readDeviceFrame(dmirror.memory, run.entry.pfn);
    dmirror.api.privateMemoryAccessed(page, run.entry.pfn, 'read', contents);
    values.push(contents);
    page = nextPage(page);
  }
  return ok(page);
}

/** Holds: driver_lock. Returns: the first page without a writable entry, or range.end. */
function* copyIn(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  range: PageRange,
  contents: readonly PageContents[],
): Task<Result<PageIndex>> {
  let page = range.first;
  while (page < range.end) {
    const run = yield* systemRun(held, dmirror, pageRange(page, range.end), 'write');
    if (run.targets.length > 0) {
      const written = yield* dmirror.api.dmaWrite(
        run.targets,
        contents.slice(page - range.first, run.stoppedAt - range.first),
      );
      if (!written.ok) return written;
    }
    page = run.stoppedAt;
    if (run.because === 'full') continue;
    if (run.because !== 'private') return ok(page);
    const value = contents[page - range.first];
    if (value === undefined) return fail('EFAULT');
    yield willWrite('dmirror_do_write.private', deviceFrameObject(dmirror.memory, run.entry.pfn));
    writeDeviceFrame(dmirror.memory, run.entry.pfn, value);
    dmirror.api.privateMemoryAccessed(page, run.entry.pfn, 'write', value);
    page = nextPage(page);
  }
  return ok(page);
}

/** Pages in a row whose entries name system frames, and what ended the run. */
type SystemRun =
  | {
      readonly targets: DmaTarget[];
      readonly stoppedAt: PageIndex;
      readonly because: 'end' | 'missing' | 'full';
    }
  | {
      readonly targets: DmaTarget[];
      readonly stoppedAt: PageIndex;
      readonly because: 'private';
      readonly entry: MappedEntry;
    };

/** Walks the device page table; system frames in a row become one DMA, up to a batch. */
function* systemRun(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  range: PageRange,
  access: 'read' | 'write',
): Task<SystemRun> {
  const targets: DmaTarget[] = [];
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    yield willRead(`dmirror_do_${access}.walk`, entryObject(dmirror.pageTable, page));
    assertHeld(held, dmirror.lock);
    const entry = entryAt(dmirror.pageTable, page);
    // An exclusive entry serves reads only: the original compares the whole tag with the write
    // mark.
    if (entry.state === 'none' || (access === 'write' && entry.access !== 'write')) {
      return { targets, stoppedAt: page, because: 'missing' };
    }
    if (ownsFrame(dmirror.memory, entry.pfn)) {
      return { targets, stoppedAt: page, because: 'private', entry };
    }
    if (targets.length === DMIRROR_BATCH_PAGES) {
      return { targets, stoppedAt: page, because: 'full' };
    }
    targets.push({ page, pfn: entry.pfn });
  }
  return { targets, stoppedAt: pageIndex(range.end), because: 'end' };
}
