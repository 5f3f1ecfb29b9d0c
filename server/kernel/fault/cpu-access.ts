/**
 * A CPU thread loads or stores: through its TLB, refilled by the hardware from the page table, and by a page fault
 * where the page table does not allow it. Source: arch/x86/mm/fault.c; the hardware by the Intel manual, vol. 3, 4.10.
 */
import type { Accessed, Signal } from '../../abi/cpu-api.ts';
import { enterLoop, keepOnly, touch } from '../../task/context.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import {
  PAGE_SIZE,
  type PageIndex,
  pageOf,
  type VirtualAddress,
} from '../../vocabulary/address.ts';
import { firstWord, readU64, writeU64 } from '../../vocabulary/page-contents.ts';
import type { Cpu, FaultAccess, FaultOutcome, Kernel } from '../kernel.ts';
import { contentsObject, contentsOf, setContents, ZERO_PFN } from '../memory/frames.ts';
import type { Vma } from '../memory/mm-types.ts';
import { pteObject, readPte, setHardwareBits } from '../memory/page-table.ts';
import {
  PTE_DIRTY,
  PTE_YOUNG,
  pteIsZeroPage,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../memory/pte.ts';
import { dropTlbEntry, fillTlb, type TlbEntry } from '../memory/tlb.ts';
import { waitForMonitor } from '../memory/userfault.ts';
import { vmaLookup } from '../memory/vma.ts';

/** A thread that faults this often without getting further reports SIGBUS; only a bug gets there. */
export const FAULTS_MAX = 10_000;

/** Takes: mmap_lock for read while it faults. Yields: yes. `address` is a multiple of 8. */
export function* load(k: Kernel, cpu: Cpu, address: VirtualAddress): Task<Accessed<bigint>> {
  const page = pageOf(address);
  const entry = yield* translate(k, cpu, page, 'read');
  if (typeof entry === 'string') return { kind: 'signal', signal: entry };
  const value = readU64(contentsOf(k.frames, entry.pfn), address % PAGE_SIZE);
  emitAccess(k, cpu, page, entry, 'read');
  return { kind: 'done', value };
}

export function* store(
  k: Kernel,
  cpu: Cpu,
  address: VirtualAddress,
  value: bigint,
): Task<Accessed<void>> {
  const page = pageOf(address);
  const entry = yield* translate(k, cpu, page, 'write');
  if (typeof entry === 'string') return { kind: 'signal', signal: entry };
  const before = contentsOf(k.frames, entry.pfn);
  setContents(k.frames, entry.pfn, writeU64(before, address % PAGE_SIZE, value));
  emitAccess(k, cpu, page, entry, 'write');
  return { kind: 'done', value: undefined };
}

/** Wherever in the page the access was, the event has the word that the page begins with: pages are registers. */
function emitAccess(
  k: Kernel,
  cpu: Cpu,
  page: PageIndex,
  entry: TlbEntry,
  mode: FaultAccess,
): void {
  const value = firstWord(contentsOf(k.frames, entry.pfn));
  k.emit({ kind: 'cpu-access', mm: cpu.mm.id, page, pfn: entry.pfn, mode, value });
}

/** The frame to access, at the instant of the access; or the signal that the thread gets. */
function* translate(
  k: Kernel,
  cpu: Cpu,
  page: PageIndex,
  access: FaultAccess,
): Task<TlbEntry | Signal> {
  const loop = cpu.tlb.object;
  enterLoop(k.context, loop);
  for (let faults = 0; faults < FAULTS_MAX; ) {
    touch(k.context, cpu.tlb.object, 'read');
    const entry = cpu.tlb.entries.get(page) ?? (yield* walk(k, cpu, page, access));
    if (entry !== 'fault' && allows(entry, access)) {
      const object = contentsObject(entry.pfn);
      yield access === 'read' ? willRead('cpu.load', object) : willWrite('cpu.store', object);
      // A shootdown that came in between makes the instruction start over.
      touch(k.context, cpu.tlb.object, 'read');
      if (cpu.tlb.entries.get(page) === entry) return entry;
      keepOnly(k.context, loop, '');
      continue;
    }
    if (entry !== 'fault') {
      // Not allowed by what is cached: the hardware walks again before it faults.
      touch(k.context, cpu.tlb.object, 'write');
      dropTlbEntry(cpu.tlb, page);
      const walked = yield* walk(k, cpu, page, access);
      if (walked !== 'fault') continue;
    }
    faults += 1;
    keepOnly(k.context, loop, '');
    const signal = yield* k.fn.doUserAddrFault(k, cpu, page, access);
    if (signal !== 'none') {
      k.emit({ kind: 'signal', mm: cpu.mm.id, page, signal });
      return signal;
    }
    yield* k.fn.exitToUserMode(k, cpu);
    keepOnly(k.context, loop, '');
  }
  return 'SIGBUS';
}

/**
 * A fault has been handled, and the thread is about to try its access again: where others get their turn. Nothing
 * here; a lab that assumes a fair scheduler waits for the others where a thread faults again and again.
 *
 * Holds: nothing.
 */
export function* exitToUserMode(): Task<void> {
  // Who runs next is the scheduler's business.
}

/** A store needs an entry that is known dirty, so that the page table gets its dirty bit first. */
export function allows(entry: TlbEntry, access: FaultAccess): boolean {
  return access === 'read' || (entry.access === 'write' && entry.dirty === 'dirty');
}

/** The hardware's page walk: fills the TLB and sets the accessed and dirty bits, without any lock. */
export function* walk(
  k: Kernel,
  cpu: Pick<Cpu, 'mm' | 'tlb'>,
  page: PageIndex,
  access: FaultAccess,
): Task<TlbEntry | 'fault'> {
  yield willRead('cpu.page_walk', pteObject(cpu.mm.table, page));
  const pte = readPte(cpu.mm.table, page);
  if (!ptePresent(pte) || pteProtNone(pte)) return 'fault';
  if (access === 'write' && !pteWrite(pte)) return 'fault';
  setHardwareBits(cpu.mm.table, page, access === 'write' ? PTE_YOUNG | PTE_DIRTY : PTE_YOUNG);
  const entry: TlbEntry = {
    pfn: pteIsZeroPage(pte) ? ZERO_PFN : ptePfn(pte),
    access: pteWrite(pte) ? 'write' : 'read',
    dirty: access === 'write' || (pte & PTE_DIRTY) !== 0 ? 'dirty' : 'clean',
  };
  touch(k.context, cpu.tlb.object, 'write');
  fillTlb(cpu.tlb, page, entry);
  return entry;
}

/** do_user_addr_fault(). */
export function* doUserAddrFault(
  k: Kernel,
  cpu: Cpu,
  page: PageIndex,
  access: FaultAccess,
): Task<Signal | 'none'> {
  k.emit({ kind: 'fault', mm: cpu.mm.id, page, mode: access });
  return yield* faultUnderMmapLock(k, cpu, page, access);
}

/** The fault itself. Takes: mmap_lock for read. */
export function* faultUnderMmapLock(
  k: Kernel,
  { mm }: Cpu,
  page: PageIndex,
  access: FaultAccess,
): Task<Signal | 'none'> {
  const held = yield* readLock(k.context, 'do_user_addr_fault.mmap_lock', mm.mmapLock);
  const vma = vmaLookup(mm.vmas, page);
  let signal: Signal | 'none' = 'SIGSEGV';
  if (vma !== 'none' && !accessError(vma, access)) {
    signal = signalOf(yield* k.fn.handleMmFault(k, { mm, vma, page, access, retry: 'allowed' }));
  }
  readUnlock(k.context, held);
  yield* waitForMonitor(k, mm);
  return signal;
}

/** access_error(): the mapping does not allow it. */
export function accessError({ prot }: Vma, access: FaultAccess): boolean {
  return prot === 'none' || (access === 'write' && prot !== 'rw');
}

/** What a thread gets whose fault came to this. */
export function signalOf(outcome: FaultOutcome): Signal | 'none' {
  if (outcome === 'sigsegv') return 'SIGSEGV';
  return outcome === 'sigbus' || outcome === 'oom' ? 'SIGBUS' : 'none';
}
