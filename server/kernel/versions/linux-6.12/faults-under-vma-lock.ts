import type { Signal } from '../../../abi/cpu-api.ts';
import { readUnlock, tryReadLock } from '../../../task/rwsem.ts';
import { type Task, willRead } from '../../../task/task.ts';
import type { PageIndex } from '../../../vocabulary/address.ts';
import { accessError, faultUnderMmapLock, signalOf } from '../../fault/cpu-access.ts';
import type {
  Cpu,
  FaultAccess,
  FaultOutcome,
  FaultRequest,
  Kernel,
  KernelFunctions,
} from '../../kernel.ts';
import { type Pte, pteIsDevicePrivate } from '../../memory/pte.ts';
import { waitForMonitor } from '../../memory/userfault.ts';
import { lockVmaUnderRcu, vmAreaFree, vmaEndRead, vmaStartWrite } from '../../memory/vma-lock.ts';
import { hasAnonVma } from '../../rmap/anon-vma-chain.ts';
import type { KernelChange } from '../kernel-change.ts';

/**
 * Faults of CPUs only: those of devices, and get_user_pages(), take mmap_lock. Files in memory have map_pages(), so
 * that vmf_can_call_fault() never refuses them.
 */
export const faultsUnderVmaLock: KernelChange = {
  since: '6.4',
  commit: 'x86/mm: try VMA lock-based page fault handling first (0bff0aaea03e)',
  summary: 'a page fault takes the lock of its mapping',
  overrides: (older) => ({
    lockVmaUnderRcu,
    vmaStartWrite,
    vmAreaFree,
    doUserAddrFault,
    vmfAnonPrepare: (k, request) => vmfAnonPrepare(older, k, request),
    doSwapPage: (k, request, seen) => doSwapPage(older, k, request, seen),
  }),
};

function* doUserAddrFault(
  k: Kernel,
  cpu: Cpu,
  page: PageIndex,
  access: FaultAccess,
): Task<Signal | 'none'> {
  const { mm } = cpu;
  k.emit({ kind: 'fault', mm: mm.id, page, mode: access });
  const vma = yield* k.fn.lockVmaUnderRcu(k, mm, page);
  if (vma === 'none') return yield* faultUnderMmapLock(k, cpu, page, access);
  if (accessError(vma, access)) {
    vmaEndRead(k, mm, vma);
    return 'SIGSEGV';
  }
  const request = { mm, vma, page, access, retry: 'allowed', lock: 'vma' } as const;
  const outcome = yield* k.fn.handleMmFault(k, request);
  if (outcome === 'retry') return yield* faultUnderMmapLock(k, cpu, page, access);
  vmaEndRead(k, mm, vma);
  yield* waitForMonitor(k, mm);
  return signalOf(outcome);
}

/**
 * vmf_anon_prepare(): which anon_vma fits is seen from the neighbours, so the lock of one mapping is not enough.
 *
 * Takes: mmap_lock for read, if it is free. Returns: 'retry' if it is not; the mapping is let go of then.
 */
function* vmfAnonPrepare(
  older: KernelFunctions,
  k: Kernel,
  request: FaultRequest,
): Task<'prepared' | 'retry'> {
  const { mm, vma, lock } = request;
  if (lock !== 'vma') return yield* older.vmfAnonPrepare(k, request);
  if (hasAnonVma(k, mm, vma)) return 'prepared';
  yield willRead('vmf_anon_prepare.trylock', mm.vmaLocks.object);
  const held = tryReadLock(k.context, mm.mmapLock);
  if (held === 'busy') {
    vmaEndRead(k, mm, vma);
    return 'retry';
  }
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  readUnlock(k.context, held);
  return 'prepared';
}

/** A driver whose migrate_to_ram() is called may rely on mmap_lock. */
function* doSwapPage(
  older: KernelFunctions,
  k: Kernel,
  request: FaultRequest,
  seen: Pte,
): Task<FaultOutcome> {
  const { mm, vma, lock } = request;
  if (lock !== 'vma' || !pteIsDevicePrivate(seen)) return yield* older.doSwapPage(k, request, seen);
  vmaEndRead(k, mm, vma);
  return 'retry';
}
