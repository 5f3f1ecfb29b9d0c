/**
 * dmirror: the reference driver, after lib/test_hmm.c of Linux 6.1. One device with private memory
 * that mirrors one whole address space. A generator over DeviceApi: the same text runs beside the
 * kernel and in a process of its own.
 *
 * Leaves out: coherent device memory, huge pages, mapping the device file, more than one open file
 * a device.
 *
 * The original has three races, and so has this:
 * 1. It erases an entry before the page goes home, but not under the driver lock: an access that
 *    has looked the entry up already reads or writes a frame that was copied (eraseEntry).
 * 2. It ignores the invalidations of its own migrations, their sequence included: a fault that saw
 *    its own page just before the page went home installs a freed frame (ignoresInvalidation,
 *    installFaulted).
 * 3. It maps migrated and exclusive pages without a look at the sequence: a madvise(DONTNEED) in
 *    between, which needs mmap_lock only for read, leaves a freed frame mapped (mapMigrated).
 */

import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import type { Task } from '../../../server/task/task.ts';
import { PAGES_MAX, pageIndex, pageRange } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { peerMemoryOf } from '../hardware/device-memory.ts';
import { allMapped } from '../hardware/device-page-table.ts';
import { allocateChunk } from './dmirror-devmem.ts';
import { installFaulted } from './dmirror-fault.ts';
import { dmirrorInvalidate, dropEntries, ignoresOwnMigration } from './dmirror-invalidate.ts';
import { mapMigrated } from './dmirror-migrate.ts';
import { dmirrorDevmemFault, eraseEntry } from './dmirror-migrate-back.ts';
import { dmirrorDevmemFree } from './dmirror-release.ts';
import {
  type Dmirror,
  type DmirrorFunctions,
  type DmirrorOptions,
  newDmirrorState,
  withDriverLock,
} from './dmirror-state.ts';

/** The faithful driver. A variant replaces some of these. */
export const DMIRROR_FUNCTIONS: DmirrorFunctions = {
  ignoresInvalidation: ignoresOwnMigration,
  installFaulted,
  mapMigrated,
  eraseEntry,
};

/** A device that is not open yet. Give its dmirrorDriver() to the kernel before dmirrorOpen(). */
export function newDmirror(
  options: DmirrorOptions,
  fn: DmirrorFunctions = DMIRROR_FUNCTIONS,
): Dmirror {
  return newDmirrorState(options, fn);
}

/**
 * Adds a chunk of private memory and subscribes to the whole address space.
 *
 * Returns: ENOMEM if there is no room for the chunk; ENOTCONN if the device is fenced.
 */
export function* dmirrorOpen(dmirror: Dmirror): Task<Result<void>> {
  const chunk = yield* allocateChunk(dmirror);
  if (!chunk.ok) return chunk;
  const all = pageRange(pageIndex(0), pageIndex(PAGES_MAX));
  const inserted = yield* dmirror.api.mmuIntervalNotifierInsert(all);
  if (!inserted.ok) return inserted;
  dmirror.sub = inserted.value;
  return OK;
}

/**
 * Unsubscribes and drops the page table. Private pages stay where they are: dmirrorRelease() evicts
 * them.
 */
export function* dmirrorClose(dmirror: Dmirror): Task<void> {
  if (dmirror.sub !== 'closed') yield* dmirror.api.mmuIntervalNotifierRemove(dmirror.sub);
  dmirror.sub = 'closed';
  yield* dropAll(dmirror);
}

/** What the kernel calls. */
export function dmirrorDriver(dmirror: Dmirror): DeviceDriver {
  return {
    invalidate: (sub, range, seq) => dmirrorInvalidate(dmirror, sub, range, seq),
    migrateToRam: (fault) => dmirrorDevmemFault(dmirror, fault),
    pageFree: (pfn) => dmirrorDevmemFree(dmirror, pfn),
    release: () => dmirrorMmRelease(dmirror),
    peerMemory: dmirror.pgmapOwner === undefined ? undefined : peerMemoryOf(dmirror.memory),
  };
}

/** The mirrored mm goes away: no verb can reach it any more. */
function* dmirrorMmRelease(dmirror: Dmirror): Task<void> {
  dmirror.mm = 'gone';
  yield* withDriverLock(dmirror, 'dmirror_release.lock', () => dropAll(dmirror));
}

function dropAll(dmirror: Dmirror): Task<void> {
  return dropEntries(dmirror, allMapped(dmirror.pageTable));
}
