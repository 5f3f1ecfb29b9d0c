/**
 * exit_mmap(): the end of an address space. Source: mm/mmap.c, mm/mmu_notifier.c (mn_itree_release, mn_hlist_release)
 * (6.1).
 */

import { touch } from '../../task/context.ts';
import { writeLock } from '../../task/rwsem.ts';
import type { Task } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { type Mm, mmObject } from '../memory/mm.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { removeVmas, takeOutOfList } from '../memory/vma-adjust.ts';
import { hasClassicNotifiers } from '../notifier/classic-notifiers.ts';
import { overlapping } from '../notifier/interval-tree.ts';
import { unmappedRegion } from './unmap-region.ts';

/**
 * Notifies the devices that mirror the address space (event RELEASE), then takes everything away. Called by mmput().
 *
 * Takes: mmap_lock for writing. Yields: yes.
 */
export function* exitMmap(k: Kernel, mm: Mm): Task<void> {
  // A bracket like any other: a device that begins to read while it runs waits, and collides if it has begun.
  const released = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'release',
    range: { first: 0 as PageIndex, end: PAGES_MAX as PageIndex },
    owner: 'none',
    blocking: 'blockable',
  });
  if (released.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, released.value);
  yield* releaseDrivers(k, mm);
  if (hasClassicNotifiers(k, mm)) yield* k.fn.mnHlistRelease(k, mm);
  const held = yield* writeLock(k.context, 'exit_mmap.mmap_lock', mm.mmapLock);
  // Linux need not: a thread that faults keeps the address space.
  for (const vma of mm.vmas) yield* k.fn.vmaStartWrite(k, mm, vma);
  const vmas = mm.vmas.slice();
  const first = vmas[0];
  const last = vmas.at(-1);
  if (first !== undefined && last !== undefined) {
    takeOutOfList(k, mm, vmas);
    const range = { first: first.first, end: last.end };
    yield* k.fn.unmapRegion(k, mm, unmappedRegion(mm, vmas, range));
    yield* removeVmas(k, mm, vmas);
  }
  mmapWriteUnlock(k.context, mm, held);
  touch(k.context, mmObject(mm.id), 'write');
  k.mms.delete(mm.id);
}

/** mmu_notifier_ops.release(): each driver that mirrors the address space is called once. */
function* releaseDrivers(k: Kernel, mm: Mm): Task<void> {
  const everything = { first: 0 as PageIndex, end: PAGES_MAX as PageIndex };
  const released = new Set<string>();
  touch(k.context, mm.subscriptions.object, 'read');
  for (const { device, driver } of overlapping(mm.subscriptions.itree, everything)) {
    if (released.has(device)) continue;
    released.add(device);
    k.emit({ kind: 'callback', function: 'release', device, args: { mm: mm.id } });
    yield* driver.release();
    k.emit({ kind: 'callback-return', function: 'release', device, result: 'OK' });
  }
}
