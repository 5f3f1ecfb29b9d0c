/** The stock kernel of Linux 6.1: every function that a later kernel or a patch may override. */
import { exitToUserMode, load, store } from './fault/cpu-access.ts';
import { doAnonymousPage } from './fault/do-anonymous-page.ts';
import { doFault } from './fault/do-fault.ts';
import { doHugePmd, doHugePmdAnonymousPage } from './fault/do-huge-pmd.ts';
import {
  doSwapPage,
  migrationEntryWait,
  removeDeviceExclusiveEntry,
} from './fault/do-swap-page.ts';
import { doWpPage, wpPageCopy, wpPageCopyEnd } from './fault/do-wp-page.ts';
import { handleMmFault } from './fault/handle-mm-fault.ts';
import {
  shouldTryToFreeSwap,
  swapcachePrepare,
  swapIn,
  swappedInExclusive,
} from './fault/swap-in.ts';
import { getUserPages } from './hmm/get-user-pages.ts';
import { hmmRangeFault } from './hmm/hmm-range-fault.ts';
import { ioMayPinVmas } from './hmm/io-pin-pages.ts';
import { makeDeviceExclusiveRange } from './hmm/make-device-exclusive.ts';
import { migrateVmaFinalize } from './hmm/migrate-vma-finalize.ts';
import {
  mayMigrateToDevice,
  migrateVmaInsertPage,
  migrateVmaPages,
} from './hmm/migrate-vma-pages.ts';
import {
  migrateVmaCollect,
  migrateVmaCollectPmd,
  migrateVmaCollectPte,
  migrateVmaSetup,
  migrateVmaUnmap,
} from './hmm/migrate-vma-setup.ts';
import type { KernelFunctions } from './kernel.ts';
import { flushTlbRange } from './memory/flush-tlb.ts';
import { splitHugePage, splitHugePmd } from './memory/huge-pmd.ts';
import { folioFreeSwap } from './memory/swap-cache.ts';
import { splitVma, vmaAdjust } from './memory/vma-adjust.ts';
import { mmapExpand, vmaMerge } from './memory/vma-merge.ts';
import {
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuNotifierInvalidateRangeEnd,
  mmuNotifierInvalidateRangeStart,
} from './notifier/mmu-notifier.ts';
import {
  anonVmaClone,
  anonVmaFork,
  anonVmaPrepare,
  unlinkAnonVmas,
} from './rmap/anon-vma-chain.ts';
import { rmapWalk } from './rmap/rmap.ts';
import {
  removeMigrationPte,
  removeMigrationPtes,
  tryToMigrate,
  tryToMigrateOne,
  tryToUnmap,
  tryToUnmapOne,
} from './rmap/try-to-migrate.ts';
import { exitMmap } from './syscalls/exit-mmap.ts';
import { copyPageRange, fork } from './syscalls/fork.ts';
import { madvise, madviseFree, madvisePageout } from './syscalls/madvise.ts';
import { mmap, munmap } from './syscalls/mmap.ts';
import {
  canChangePteWritable,
  changeProtection,
  changeProtectionStart,
  mprotect,
  mprotectAccounts,
} from './syscalls/mprotect.ts';
import { copyVma, movePageTables, movePtes, mremap, takeRmapLocks } from './syscalls/mremap.ts';
import { oomReapTaskMm } from './syscalls/oom-reaper.ts';
import { zapPageRange } from './syscalls/zap-page-range.ts';

export const STOCK: KernelFunctions = {
  mmuNotifierInvalidateRangeStart,
  mmuNotifierInvalidateRangeEnd,
  mmuIntervalReadBegin,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  handleMmFault,
  doAnonymousPage,
  doHugePmdAnonymousPage,
  doHugePmd,
  splitHugePmd,
  splitHugePage,
  doFault,
  doWpPage,
  wpPageCopy,
  wpPageCopyEnd,
  doSwapPage,
  swapIn,
  swapcachePrepare,
  swappedInExclusive,
  shouldTryToFreeSwap,
  folioFreeSwap,
  removeDeviceExclusiveEntry,
  migrationEntryWait,
  hmmRangeFault,
  migrateVmaSetup,
  migrateVmaCollect,
  migrateVmaCollectPmd,
  migrateVmaCollectPte,
  migrateVmaUnmap,
  migrateVmaPages,
  mayMigrateToDevice,
  migrateVmaInsertPage,
  migrateVmaFinalize,
  rmapWalk,
  tryToMigrate,
  tryToMigrateOne,
  tryToUnmap,
  tryToUnmapOne,
  removeMigrationPtes,
  removeMigrationPte,
  anonVmaPrepare,
  anonVmaClone,
  anonVmaFork,
  unlinkAnonVmas,
  makeDeviceExclusiveRange,
  getUserPages,
  ioMayPinVmas,
  mmapExpand,
  vmaMerge,
  vmaAdjust,
  splitVma,
  zapPageRange,
  munmap,
  mmap,
  mprotect,
  mprotectAccounts,
  changeProtection,
  changeProtectionStart,
  canChangePteWritable,
  mremap,
  copyVma,
  movePageTables,
  takeRmapLocks,
  movePtes,
  madvise,
  madviseFree,
  madvisePageout,
  fork,
  copyPageRange,
  exitMmap,
  oomReapTaskMm,
  flushTlbRange,
  exitToUserMode,
  load,
  store,
};
