/**
 * Atomic access: pages that for the time being only this device may use.
 *
 * Models: dmirror_exclusive(), dmirror_atomic_map(), dmirror_check_atomic() of lib/test_hmm.c
 * (6.1).
 */
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import {
  nextPage,
  type PageRange,
  type Pfn,
  pageCount,
  pageIndex,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { entryAt, entryObject, setEntry } from '../hardware/device-page-table.ts';
import { type DmirrorCopied, dmirrorReadMapped } from './dmirror-access.ts';
import { type Dmirror, nextBatch, withDriverLock, withMmapReadLock } from './dmirror-state.ts';

/**
 * Makes `range` exclusive to the device and reads it through the device page table, without
 * faulting.
 *
 * Takes:   mmap_lock for read; under it the pages' locks and driver_lock.
 * Returns: EBUSY if some page could not be made exclusive: if all could at least be faulted, the
 *          others keep their exclusive entries; ENOENT if an entry is gone again before it is read.
 */
export function* dmirrorExclusive(dmirror: Dmirror, range: PageRange): Task<Result<DmirrorCopied>> {
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const made = yield* withMmapReadLock(dmirror, () => makeExclusive(dmirror, range));
  return made.ok ? yield* dmirrorReadMapped(dmirror, range) : made;
}

/**
 * Looks only at the device page table, and not under the driver lock, as the original.
 *
 * Returns: EPERM if some page is still exclusive to this device.
 */
export function* dmirrorCheckExclusive(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    yield willRead('dmirror_check_atomic.look', entryObject(dmirror.pageTable, page));
    const entry = entryAt(dmirror.pageTable, page);
    if (entry.state === 'mapped' && entry.access === 'exclusive') return fail('EPERM');
  }
  return OK;
}

function* makeExclusive(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const made = yield* dmirror.api.makeDeviceExclusiveRange(batch);
    if (!made.ok && made.errno === 'ENOTCONN') return made;
    const frames = made.ok ? made.value : [];
    // A shorter answer means that the range could not be faulted to its end. The original maps
    // nothing then, although the CPU entries of the pages before it are converted.
    const complete = frames.length === pageCount(batch);
    const mapped = complete ? yield* mapExclusive(dmirror, batch, frames) : 0;
    const held = frames.filter((frame) => frame !== 'none');
    if (held.length > 0) yield* dmirror.api.unlockAndPutPages(held);
    if (mapped < pageCount(batch)) return fail('EBUSY');
    first = batch.end;
  }
  return OK;
}

/**
 * Holds: mmap_lock and the pages' locks. Takes: driver_lock. Returns: how many pages were entered.
 */
function mapExclusive(
  dmirror: Dmirror,
  range: PageRange,
  frames: readonly (Pfn | 'none')[],
): Task<number> {
  return withDriverLock(dmirror, 'dmirror_atomic_map.lock', () =>
    enterExclusive(dmirror, range, frames),
  );
}

function* enterExclusive(
  dmirror: Dmirror,
  range: PageRange,
  frames: readonly (Pfn | 'none')[],
): Task<number> {
  let mapped = 0;
  for (const [at, frame] of frames.entries()) {
    if (frame === 'none') continue;
    const page = pageIndex(range.first + at);
    yield willWrite('dmirror_atomic_map.map', entryObject(dmirror.pageTable, page));
    setEntry(dmirror.pageTable, page, { state: 'mapped', pfn: frame, access: 'exclusive' });
    mapped += 1;
  }
  return mapped;
}
