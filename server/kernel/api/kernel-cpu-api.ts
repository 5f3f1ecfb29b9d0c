/** CpuApi as the kernel serves it: one thread's accesses and system calls. */
import type { Accessed, CpuApi, PinMode } from '../../abi/cpu-api.ts';
import { objectId } from '../../task/object-id.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import type { Task } from '../../task/task.ts';
import {
  type PageRange,
  type Pfn,
  pageCount,
  pageIndex,
  pagesFrom,
} from '../../vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { type Cpu, endProcess, isAlive, type Kernel, nextId } from '../kernel.ts';
import { PIN_BIAS } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { putPages } from '../memory/page-references.ts';
import { newTlb } from '../memory/tlb.ts';
import {
  mfillAtomicCopy,
  mfillAtomicZeropage,
  userfaultfdRegister,
  userfaultfdUnregister,
  userfaultfdWake,
  waitForMonitor,
} from '../memory/userfault.ts';
import { callSwapoff } from '../syscalls/swapoff.ts';

/** A thread that runs in `mm`, with a TLB of its own. */
export function newCpu(k: Kernel, name: string, mm: Mm): Cpu {
  const tlb = newTlb(name, objectId('tlb', mm.id, nextId(k)));
  mm.tlbsToChange.push(tlb);
  return { name, mm, tlb, pins: new Map() };
}

/** A thread of the kernel, which works on `mm`: it has no TLB that anybody would have to flush. */
export function newKernelThread(k: Kernel, name: string, mm: Mm): Cpu {
  return { name, mm, tlb: newTlb(name, objectId('tlb', mm.id, nextId(k))), pins: new Map() };
}

/** Takes a thread's TLB out of the shootdowns. Its pins must be gone. */
export function removeCpu(cpu: Cpu): void {
  const at = cpu.mm.tlbsToChange.indexOf(cpu.tlb);
  if (at >= 0) cpu.mm.tlbsToChange.splice(at, 1);
}

export interface CpuApiParts {
  readonly cpu: Cpu;
  /** Called with a child's address space, so that a thread named `child` can run in it. */
  readonly onFork: (child: string, mm: Mm) => void;
}

export function createCpuApi(k: Kernel, parts: CpuApiParts): CpuApi {
  const { cpu } = parts;
  return {
    load: (address) => accessed(k, cpu, k.fn.load(k, cpu, address)),
    store: (address, value) => accessed(k, cpu, k.fn.store(k, cpu, address, value)),
    mmap: (request) => called(k, cpu, 'mmap', request.range, k.fn.mmap(k, cpu.mm, request)),
    munmap: (range) => called(k, cpu, 'munmap', range, k.fn.munmap(k, cpu.mm, range)),
    mprotect: (range, prot) =>
      called(k, cpu, 'mprotect', range, k.fn.mprotect(k, cpu.mm, range, prot)),
    madvise: (range, advice) =>
      called(
        k,
        cpu,
        `madvise_${advice.toLowerCase()}`,
        range,
        k.fn.madvise(k, cpu.mm, range, advice),
      ),
    mremap: (range, to) =>
      called(k, cpu, 'mremap', range, k.fn.mremap(k, cpu.mm, range, to), { to }),
    fork: (child) => forkChild(k, parts, child),
    exit: () => exit(k, cpu),
    pin: (id, range, mode) =>
      called(k, cpu, PINNING[mode].begins, range, pin(k, cpu, id, range, mode), { id }),
    unpin: (id) => unpin(k, cpu, id),
    reclaim: (range) =>
      called(k, cpu, 'shrink_inactive_list', range, k.fn.shrinkInactiveList(k, cpu.mm, range)),
    compact: (range) => called(k, cpu, 'migrate_pages', range, k.fn.compactPages(k, cpu.mm, range)),
    khugepaged: (range) =>
      called(k, cpu, 'khugepaged_scan_mm_slot', range, k.fn.khugepagedScan(k, cpu.mm, range)),
    swapoff: () => callSwapoff(k),
    'uffd-register': (range) =>
      called(k, cpu, 'userfaultfd_register', range, userfaultfdRegister(cpu.mm, range)),
    'uffd-unregister': (range) =>
      called(k, cpu, 'userfaultfd_unregister', range, userfaultfdUnregister(k, cpu.mm, range)),
    'uffd-copy': (page, value) =>
      called(
        k,
        cpu,
        'mfill_atomic_copy',
        pagesFrom(page, 1),
        mfillAtomicCopy(k, cpu.mm, page, value),
      ),
    'uffd-zeropage': (page) =>
      called(
        k,
        cpu,
        'mfill_atomic_zeropage',
        pagesFrom(page, 1),
        mfillAtomicZeropage(k, cpu.mm, page),
      ),
    'uffd-move': (range, to) =>
      called(k, cpu, 'move_pages', range, k.fn.userfaultfdMove(k, cpu.mm, range, to), { to }),
    'uffd-wake': (range) =>
      called(k, cpu, 'userfaultfd_wake', range, userfaultfdWake(k, cpu.mm, range)),
  };
}

function* forkChild(k: Kernel, { cpu, onFork }: CpuApiParts, child: string): Task<Result<void>> {
  if (!isAlive(k, cpu.mm)) return fail('EINVAL');
  k.emit({ kind: 'call', function: 'fork', args: { child } });
  const forked = yield* k.fn.fork(k, cpu.mm);
  if (forked.ok) onFork(child, forked.value);
  k.emit({ kind: 'return', function: 'fork', result: forked.ok ? 'OK' : forked.errno });
  return forked.ok ? OK : forked;
}

function* exit(k: Kernel, cpu: Cpu): Task<Result<void>> {
  if (!isAlive(k, cpu.mm)) return fail('EINVAL');
  for (const id of [...cpu.pins.keys()]) yield* unpin(k, cpu, id);
  k.emit({ kind: 'call', function: 'exit', args: {} });
  yield* endProcess(k, cpu.mm);
  k.emit({ kind: 'return', function: 'exit', result: 'OK' });
  return OK;
}

/** What pins are called in the log. */
const PINNING = {
  longterm: { begins: 'pin_user_pages', ends: 'unpin_user_pages' },
  fast: { begins: 'pin_user_pages_fast', ends: 'unpin_user_pages' },
  get: { begins: 'get_user_pages', ends: 'release_pages' },
} as const;

/** A process that has exited accesses nothing any more, though devices may keep what it maps. */
function* accessed<T>(k: Kernel, cpu: Cpu, access: Task<Accessed<T>>): Task<Accessed<T>> {
  return isAlive(k, cpu.mm) ? yield* access : { kind: 'signal', signal: 'SIGSEGV' };
}

/** The same of its system calls. */
function* called<T>(
  k: Kernel,
  cpu: Cpu,
  name: string,
  range: PageRange,
  call: Task<Result<T>>,
  more: Readonly<Record<string, number>> = {},
): Task<Result<T>> {
  return isAlive(k, cpu.mm) ? yield* traced(k, name, range, call, more) : fail('EINVAL');
}

function* traced<T>(
  k: Kernel,
  name: string,
  range: PageRange,
  call: Task<Result<T>>,
  more: Readonly<Record<string, number>> = {},
): Task<Result<T>> {
  k.emit({ kind: 'call', function: name, args: { first: range.first, end: range.end, ...more } });
  const result = yield* call;
  k.emit({ kind: 'return', function: name, result: result.ok ? 'OK' : result.errno });
  return result;
}

/**
 * 'longterm' is what registering an I/O buffer does: all pages of the range or nothing, and of mappings that the kernel
 * lets it pin. 'fast' is what drivers do, and goes on under the lock where it must. 'get' takes what it gets.
 *
 * Takes: mmap_lock for read. Returns: EINVAL for an id in use or such mappings; EFAULT if a page cannot be had.
 */
function* pin(
  k: Kernel,
  cpu: Cpu,
  id: number,
  range: PageRange,
  mode: PinMode,
): Task<Result<number>> {
  if (cpu.pins.has(id)) return fail('EINVAL');
  const { mm } = cpu;
  const quick = mode === 'fast' ? yield* k.fn.locklessPagesFromMm(k, mm, range) : [];
  const missing: PageRange = { first: pageIndex(range.first + quick.length), end: range.end };
  const got = quick.length === pageCount(range) ? ok([]) : yield* pinSlowly(k, cpu, missing, mode);
  const frames = got.ok ? [...quick, ...got.value] : quick;
  if (!got.ok || (mode !== 'get' && frames.length < pageCount(range))) {
    yield* drop(k, frames, mode);
    return got.ok ? fail('EFAULT') : got;
  }
  cpu.pins.set(id, { range, frames, mode });
  return ok(frames.length);
}

/** Takes: mmap_lock for read. */
function* pinSlowly(
  k: Kernel,
  { mm }: Cpu,
  range: PageRange,
  mode: PinMode,
): Task<Result<readonly Pfn[]>> {
  const access = mode === 'get' ? 'read' : 'write';
  let got: Result<readonly Pfn[]>;
  let allowed: boolean;
  for (;;) {
    const held = yield* readLock(k.context, 'pin.mmap_lock', mm.mmapLock);
    got = yield* k.fn.getUserPages(k, mm, range, access, mode === 'get' ? 'get' : 'pin');
    allowed = mode !== 'longterm' || k.fn.ioMayPinVmas(mm, range);
    readUnlock(k.context, held);
    if (!(yield* waitForMonitor(k, mm))) break;
    if (got.ok) yield* drop(k, got.value, mode);
  }
  if (!got.ok || allowed || got.value.length < pageCount(range)) return got;
  yield* drop(k, got.value, mode);
  return fail('EINVAL');
}

/** Returns: EINVAL if there is no such pin. */
function* unpin(k: Kernel, cpu: Cpu, id: number): Task<Result<void>> {
  const pinned = cpu.pins.get(id);
  if (pinned === undefined) return fail('EINVAL');
  cpu.pins.delete(id);
  const { range, frames, mode } = pinned;
  return yield* traced(k, PINNING[mode].ends, range, given(k, frames, mode), { id });
}

function* given(k: Kernel, frames: readonly Pfn[], mode: PinMode): Task<Result<void>> {
  yield* drop(k, frames, mode);
  return OK;
}

function* drop(k: Kernel, frames: readonly Pfn[], mode: PinMode): Task<void> {
  for (const pfn of frames) yield* putPages(k, pfn, mode === 'get' ? 1 : PIN_BIAS);
}
