import type { Task } from '../../../server/task/task.ts';
import { type PageIndex, pageIndex, pagesFrom } from '../../../server/vocabulary/address.ts';
import { fail, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from './kvm-device.ts';
import { sampleSequence } from './kvm-fault.ts';
import type { Kvm, LookedUp } from './kvm-state.ts';

/** Pages of a block. arm64 has 512 of them in a PMD; two are enough for a race. */
const BLOCK_PAGES = 2;

/** user_mem_abort(): the sequence is sampled while mmap_lock still holds the mapping that was found. */
export const kvmArm64: DriverVariant = {
  id: 'kvm-arm64',
  provenance: 'arch/arm64/kvm/mmu.c, user_mem_abort(), since 13ec9308a857 (Linux 6.3)',
  summary:
    'kvm, but the mapping of the process says how much the guest maps at once: blocks of 2 pages',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { lookUp: lookUpUnderLock }),
};

function* lookUpUnderLock(
  kvm: Kvm,
  page: PageIndex,
  access: 'read' | 'write',
): Task<Result<LookedUp>> {
  yield* kvm.api.mmapReadLock();
  const block = yield* blockOf(kvm, page);
  const begun = yield* sampleSequence(kvm, 'user_mem_abort.mmu_seq');
  yield* kvm.api.mmapReadUnlock();
  return block.ok ? yield* lookUpBlock(kvm, block.value, access, begun) : block;
}

export interface Block {
  readonly page: PageIndex;
  readonly pages: number;
}

/** vma_lookup() and what follows from it: a block only where the mapping has all of it. Holds: mmap_lock. */
export function* blockOf(kvm: Kvm, page: PageIndex): Task<Result<Block>> {
  const found = yield* kvm.api.findVma(page);
  if (!found.ok || found.value.range.first > page) return fail('EFAULT');
  const first = pageIndex(page - (page % BLOCK_PAGES));
  const { range } = found.value;
  const whole = range.first <= first && first + BLOCK_PAGES <= range.end;
  return ok(whole ? { page: first, pages: BLOCK_PAGES } : { page, pages: 1 });
}

/** The pages of a block stand in a row, as those of a huge page do: only the first is looked up. */
export function* lookUpBlock(
  kvm: Kvm,
  { page, pages }: Block,
  access: 'read' | 'write',
  begun: number,
): Task<Result<LookedUp>> {
  const got = yield* kvm.api.getUserPages(pagesFrom(page, 1), access);
  if (!got.ok) return got;
  const [pfn] = got.value;
  return pfn === undefined ? fail('EFAULT') : ok({ page, pfn, access, pages, begun });
}
