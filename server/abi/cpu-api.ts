/** What a CPU thread may ask of the kernel: memory accesses and system calls. Results are what user space sees. */

import type { Task } from '../task/task.ts';
import type { PageIndex, PageRange, VirtualAddress } from '../vocabulary/address.ts';
import type { Result } from '../vocabulary/errno.ts';

export type Signal = 'SIGSEGV' | 'SIGBUS';
export type Accessed<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'signal'; readonly signal: Signal };

export const PROTS = ['none', 'r', 'rw'] as const;
export type Prot = (typeof PROTS)[number];
export const ADVICES = ['DONTNEED', 'FREE', 'PAGEOUT', 'REMOVE', 'COLLAPSE'] as const;
export type Advice = (typeof ADVICES)[number];
export const MAPPING_KINDS = [
  'anon-private',
  'anon-shared',
  'file-private',
  'file-shared',
] as const;
export type MappingKind = (typeof MAPPING_KINDS)[number];

export interface MmapRequest {
  readonly range: PageRange;
  readonly prot: Prot;
  readonly kind: MappingKind;
  /** Which file, for the file kinds. */
  readonly file?: number;
  /** Offset into the file, in pages. */
  readonly offset?: number;
}

/**
 * 'longterm': FOLL_LONGTERM|FOLL_PIN|FOLL_WRITE; 'fast': the same without mmap_lock where that is possible, as drivers
 * pin; 'get': FOLL_GET for reading.
 */
export const PIN_MODES = ['longterm', 'fast', 'get'] as const;
export type PinMode = (typeof PIN_MODES)[number];

export interface CpuApi {
  /** The u64 at `address` (8-byte aligned). */
  load(address: VirtualAddress): Task<Accessed<bigint>>;
  store(address: VirtualAddress, value: bigint): Task<Accessed<void>>;
  /** MAP_FIXED_NOREPLACE: EEXIST on overlap. */
  mmap(request: MmapRequest): Task<Result<void>>;
  munmap(range: PageRange): Task<Result<void>>;
  /** ENOMEM if a part is unmapped; the part before it was changed. */
  mprotect(range: PageRange, prot: Prot): Task<Result<void>>;
  /** ENOMEM if a part is unmapped; mapped parts were handled. */
  madvise(range: PageRange, advice: Advice): Task<Result<void>>;
  /** MREMAP_MAYMOVE|MREMAP_FIXED with the same size. */
  mremap(range: PageRange, to: PageIndex): Task<Result<void>>;
  /** A child with a copy of the address space, which runs as actor `child`. */
  fork(child: string): Task<Result<void>>;
  exit(): Task<Result<void>>;
  /** Returns the number of pages pinned. */
  pin(id: number, range: PageRange, mode: PinMode): Task<Result<number>>;
  unpin(id: number): Task<Result<void>>;
  /** Reclaim, as kswapd does it, of what is mapped there: what a thread asks for through memory.reclaim. */
  reclaim(range: PageRange): Task<Result<void>>;
  /** Compaction: what is mapped there moves to other frames, as through /proc/sys/vm/compact_memory. */
  compact(range: PageRange): Task<Result<void>>;
  /** khugepaged, of whole blocks of files that are mapped there: what madvise(COLLAPSE) asks for. */
  khugepaged(range: PageRange): Task<Result<void>>;
  /** Of all swap space. EINVAL if there is none in use, ENOMEM if some page finds no frame. */
  swapoff(): Task<Result<void>>;
  /** UFFDIO_REGISTER, for missing pages: from now on whoever touches one waits for a monitor. */
  'uffd-register'(range: PageRange): Task<Result<void>>;
  /** UFFDIO_UNREGISTER: those who wait go on. */
  'uffd-unregister'(range: PageRange): Task<Result<void>>;
  /** UFFDIO_COPY of one page that begins with `value`. ENOENT outside of what is registered, EEXIST where a page is. */
  'uffd-copy'(page: PageIndex, value: bigint): Task<Result<void>>;
  /** UFFDIO_ZEROPAGE of one page; fails as uffd-copy. */
  'uffd-zeropage'(page: PageIndex): Task<Result<void>>;
  /**
   * UFFDIO_MOVE: pages go from `range` to `to`, which is registered and empty. ENOENT, EEXIST, EBUSY for pages that are
   * not this process's alone, EAGAIN where something has come in between, EINVAL before 6.8.
   */
  'uffd-move'(range: PageRange, to: PageIndex): Task<Result<void>>;
  /** UFFDIO_WAKE: those who wait look again. */
  'uffd-wake'(range: PageRange): Task<Result<void>>;
}
