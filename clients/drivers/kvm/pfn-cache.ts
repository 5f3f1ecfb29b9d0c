/**
 * The hypervisor's own access to a page of its guest's: a cache of the frame, which an invalidation empties.
 *
 * Models: hva_to_pfn_retry() and gpc_invalidate_hva_range_start() (virt/kvm/pfncache.c, 6.12). Differs: whoever
 * collides tries again when no invalidation is active, where Linux tries at once, for ever if need be. A guest that is
 * asked after its process has gone is refused, where in Linux it has no thread any more that could ask. Leaves out:
 * refresh_lock: a guest has one cache, of the page that was asked for last, and one thread at a time may ask.
 */

import { enterLoop, loopAgain, touch } from '../../../server/task/context.ts';
import { lock, unlock } from '../../../server/task/lock.ts';
import { type Task, waitUntil, willCompare, willWrite } from '../../../server/task/task.ts';
import {
  contains,
  type PageIndex,
  type PageRange,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { PageContents } from '../../../server/vocabulary/page-contents.ts';
import { sampleSequence, sequenceMoved } from './kvm-fault.ts';
import type { Kvm } from './kvm-state.ts';

/** Holds: nothing. Takes: the lock of the cache; mmap_lock for read, in turn. Yields: yes. Returns: EFAULT. */
export function* readCached(kvm: Kvm, page: PageIndex): Task<Result<readonly PageContents[]>> {
  const { cache, context } = kvm;
  for (;;) {
    const held = yield* lock(context, 'kvm_read_guest_cached.lock', cache.lock);
    touch(context, kvm.objects.cache, 'read');
    if (cache.state === 'valid' && cache.page === page) {
      const read = yield* kvm.api.dmaRead([{ page, pfn: cache.pfn }]);
      unlock(context, held);
      return read;
    }
    unlock(context, held);
    const filled = yield* refresh(kvm, page);
    if (!filled.ok) return filled;
  }
}

/** The guest is gone already: nothing is cached any more. */
export function* closeCache({ cache, context, objects }: Kvm): Task<void> {
  touch(context, objects.cache, 'read');
  if (cache.state === 'never used') return;
  const held = yield* lock(context, 'kvm_gpc_deactivate.lock', cache.lock);
  touch(context, objects.cache, 'write');
  cache.state = 'invalid';
  unlock(context, held);
}

/** gpc_invalidate_hva_range_start(). A cache that was never used is in no list. */
export function* invalidateCache(kvm: Kvm, range: PageRange): Task<void> {
  const { cache, context } = kvm;
  touch(context, kvm.objects.cache, 'read');
  if (cache.state === 'never used') return;
  const held = yield* lock(context, 'gpc_invalidate_hva_range_start.lock', cache.lock);
  touch(context, kvm.objects.cache, 'write');
  if (contains(range, cache.page)) cache.state = 'invalid';
  unlock(context, held);
}

export function cacheSequence(kvm: Kvm): Task<number> {
  return sampleSequence(kvm, 'hva_to_pfn_retry.mmu_seq');
}

/** Counted before the caches are emptied: while it is not 0, what is looked up may be on its way out. */
export function cacheIsStale(kvm: Kvm, _page: PageIndex, begun: number): boolean {
  touch(kvm.context, kvm.objects.active, 'watch');
  return kvm.activeInvalidates > 0 || sequenceMoved(kvm, begun);
}

function* refresh(kvm: Kvm, page: PageIndex): Task<Result<void>> {
  const { cache, context } = kvm;
  const { cache: loop } = kvm.objects;
  enterLoop(context, loop);
  for (;;) {
    const before = yield* lock(context, 'hva_to_pfn_retry.lock', cache.lock);
    // Not valid before the lock is let go of: an invalidation meanwhile has nothing to do here.
    yield willWrite('hva_to_pfn_retry.invalidate', kvm.objects.cache);
    touch(context, kvm.objects.cache, 'write');
    cache.state = 'invalid';
    cache.page = page;
    const begun = yield* kvm.fn.cacheSequence(kvm);
    unlock(context, before);
    const got = yield* kvm.api.getUserPages(pagesFrom(page, 1), 'read');
    if (!got.ok) return got;
    const [pfn] = got.value;
    if (pfn === undefined) return fail('EFAULT');
    const after = yield* lock(context, 'hva_to_pfn_retry.lock_again', cache.lock);
    yield willCompare('hva_to_pfn_retry.retry', kvm.objects.active);
    touch(context, kvm.objects.life, 'read');
    const { life } = kvm;
    const stale = kvm.fn.cacheIsStale(kvm, page, begun);
    if (!stale && life === 'alive') {
      touch(context, kvm.objects.cache, 'write');
      cache.state = 'valid';
      cache.page = page;
      cache.pfn = pfn;
    }
    unlock(context, after);
    yield* kvm.api.putPages([pfn]);
    if (life === 'gone') return fail('EINVAL');
    if (!stale) return OK;
    yield waitUntil(
      'hva_to_pfn_retry.again',
      kvm.objects.active,
      () => kvm.activeInvalidates === 0,
    );
    loopAgain(context, loop);
  }
}

/** As a verb reports it. */
export function* readCachedRange(
  kvm: Kvm,
  range: PageRange,
): Task<Result<readonly PageContents[]>> {
  const values: PageContents[] = [];
  for (let page: number = range.first; page < range.end; page += 1) {
    const read = yield* readCached(kvm, page as PageIndex);
    if (!read.ok) return read;
    values.push(...read.value);
  }
  return ok(values);
}
