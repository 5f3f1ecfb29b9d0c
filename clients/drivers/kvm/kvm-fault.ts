/**
 * A guest's fault on its stage-2 table.
 *
 * Models: kvm_tdp_page_fault(), kvm_faultin_pfn(), is_page_fault_stale() (arch/x86/kvm/mmu/mmu.c), and
 * mmu_invalidate_retry_gfn() (include/linux/kvm_host.h), 6.12. Differs: a fault that collides with an invalidation in
 * progress is tried again when that has ended; Linux lets the guest fault at once, to no avail until then.
 * Leaves out: huge entries of its own accord, dirty logging, accessed bits, MMIO.
 */
import { enterLoop, holdToCompare, keepOnly, touch } from '../../../server/task/context.ts';
import { assertHeld, type Held } from '../../../server/task/lock.ts';
import { type Task, waitUntil, willCompare, willWrite } from '../../../server/task/task.ts';
import { type PageIndex, pageIndex, pagesFrom } from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import { hasMemoryAt } from './kvm-memslots.ts';
import { isInvalidating, type Kvm, type LookedUp, withMmuLock } from './kvm-state.ts';

type Outcome = 'mapped' | 'stale' | 'gone' | 'no memory';

/**
 * Holds: nothing. Takes: mmap_lock for read, then mmu_lock, one after the other. Yields: yes.
 * Returns: EFAULT if the process, or the guest, has no such page; EINVAL once the guest is gone.
 */
export function* kvmFault(kvm: Kvm, page: PageIndex, access: 'read' | 'write'): Task<Result<void>> {
  enterLoop(kvm.context, kvm.objects.inProgress);
  for (;;) {
    keepOnly(kvm.context, kvm.objects.inProgress, '');
    const found = yield* kvm.fn.lookUp(kvm, page, access);
    if (!found.ok) return found;
    const outcome = yield* install(kvm, found.value);
    // The table has no references: start() takes an entry away before its page can go.
    yield* kvm.api.putPages([found.value.pfn]);
    if (outcome === 'gone') return fail('EINVAL');
    if (outcome === 'no memory') return fail('EFAULT');
    if (outcome === 'mapped') return OK;
    yield waitUntil(
      'kvm_mmu_page_fault.again',
      kvm.objects.inProgress,
      () => !isInvalidating(kvm, page),
    );
  }
}

/** kvm_faultin_pfn(): the sequence is sampled before the page is looked up. */
export function* lookUp(
  kvm: Kvm,
  page: PageIndex,
  access: 'read' | 'write',
): Task<Result<LookedUp>> {
  const begun = yield* sampleSequence(kvm, 'kvm_faultin_pfn.mmu_seq');
  const got = yield* kvm.api.getUserPages(pagesFrom(page, 1), access);
  if (!got.ok) return got;
  const [pfn] = got.value;
  return pfn === undefined ? fail('EFAULT') : ok({ page, pfn, access, pages: 1, begun });
}

export function* sampleSequence(kvm: Kvm, at: string): Task<number> {
  const { seq } = kvm.objects;
  yield willCompare(at, seq);
  touch(kvm.context, seq, 'watch');
  holdToCompare(kvm.context, seq, kvm.mmuInvalidateSeq);
  return kvm.mmuInvalidateSeq;
}

/** The page may be on its way out now, or may have gone and come since the look. Holds: mmu_lock. */
export function isStale(kvm: Kvm, page: PageIndex, begun: number): boolean {
  return isInvalidating(kvm, page) || sequenceMoved(kvm, begun);
}

export function sequenceMoved(kvm: Kvm, begun: number): boolean {
  touch(kvm.context, kvm.objects.seq, 'watch');
  return kvm.mmuInvalidateSeq !== begun;
}

function install(kvm: Kvm, found: LookedUp): Task<Outcome> {
  return withMmuLock(kvm, 'kvm_tdp_page_fault.mmu_lock', (held) => underLock(held, kvm, found));
}

function* underLock(held: Held<'driver_lock'>, kvm: Kvm, found: LookedUp): Task<Outcome> {
  yield willCompare('kvm_tdp_page_fault.retry', kvm.objects.seq);
  touch(kvm.context, kvm.objects.life, 'read');
  if (kvm.life === 'gone') return 'gone';
  if (!hasMemoryAt(kvm, found.page)) return 'no memory';
  for (let at = 0; at < found.pages; at += 1) {
    if (kvm.fn.isStale(kvm, pageIndex(found.page + at), found.begun)) return 'stale';
  }
  for (let at = 0; at < found.pages; at += 1) {
    const page = pageIndex(found.page + at);
    yield willWrite('kvm_tdp_page_fault.map', entryObject(kvm.table, page));
    assertHeld(held, kvm.mmuLock);
    const pfn = (found.pfn + at) as LookedUp['pfn'];
    setEntry(kvm.table, page, { state: 'mapped', pfn, access: found.access });
  }
  return 'mapped';
}
