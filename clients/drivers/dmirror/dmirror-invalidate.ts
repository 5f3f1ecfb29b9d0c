/**
 * The invalidate callbacks of dmirror.
 *
 * Models: dmirror_interval_invalidate(), dmirror_snapshot_invalidate(), dmirror_do_update() of
 * lib/test_hmm.c (6.1), with the original's two peculiarities: it drops one page too many, and it
 * ignores its own migrations without moving the sequence, so that a fault that saw its own page
 * just before the page went home can still install it.
 */

import {
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { type Held, lock, tryLock, unlock } from '../../../server/task/lock.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageIndex } from '../../../server/vocabulary/address.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { dropEntry, entryObject, mappedThrough } from '../hardware/device-page-table.ts';
import type { Dmirror } from './dmirror-state.ts';

/**
 * True for the migrations of this device: those update the page table themselves. As the original it goes by the owner
 * alone, and takes those of a device that shares it for its own.
 */
export function ignoresOwnMigration(dmirror: Dmirror, range: NotifierRange): boolean {
  return range.event === 'migrate' && range.owner === (dmirror.pgmapOwner ?? dmirror.api.owner);
}

/**
 * Takes the device's entries away before the CPU page table changes.
 *
 * Takes:   driver_lock; only tries to if the range is not blockable.
 * Returns: 'again' if the lock was busy and waiting is not allowed.
 */
export function* dmirrorInvalidate(
  dmirror: Dmirror,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  // A subscription that is not the device's own is a snapshot's, or the device is not open yet and
  // maps nothing: either way only the sequence matters, and it must move even for a migration of
  // this device.
  const whole = dmirror.sub !== 'closed' && dmirror.sub.id === sub.id;
  if (whole && dmirror.fn.ignoresInvalidation(dmirror, range)) return 'done';
  const held = yield* lockAsAllowed(dmirror, range);
  if (held === 'busy') return 'again';
  yield willWrite('dmirror_interval_invalidate.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
  // One page too many, as the original does: its range ends with the page at range.end.
  if (whole) yield* dropEntries(dmirror, mappedThrough(dmirror.pageTable, range.range));
  unlock(dmirror.context, held);
  return 'done';
}

/** Drops the entries of `pages`. */
export function* dropEntries(dmirror: Dmirror, pages: readonly PageIndex[]): Task<void> {
  for (const page of pages) {
    yield willWrite('dmirror_do_update.drop', entryObject(dmirror.pageTable, page));
    dropEntry(dmirror.pageTable, page);
  }
}

/** The driver lock: waited for only where the range is blockable. */
export function* lockAsAllowed(
  dmirror: Dmirror,
  range: NotifierRange,
): Task<Held<'driver_lock'> | 'busy'> {
  const at = 'dmirror_interval_invalidate.lock';
  if (range.blocking === 'blockable') return yield* lock(dmirror.context, at, dmirror.lock);
  yield willWrite(at, dmirror.lock.object);
  return tryLock(dmirror.context, dmirror.lock);
}
