/** The stock kernel of Linux 6.1: every function that a later kernel or a patch may override. */

import { doUserAddrFault, exitToUserMode, load, store } from './fault/cpu-access.ts';
import { doAnonymousPage } from './fault/do-anonymous-page.ts';
import { doCowFault, doFault, finishFault } from './fault/do-fault.ts';
import { doHugePmd, doHugePmdAnonymousPage } from './fault/do-huge-pmd.ts';
import {
  doSwapPage,
  migrateToRam,
  migrationEntryWait,
  removeDeviceExclusiveEntry,
  restoreExclusivePte,
} from './fault/do-swap-page.ts';
import { doWpPage, mayReuse, wpPageCopy, wpPageCopyEnd, wpPageReuse } from './fault/do-wp-page.ts';
import { handleMmFault } from './fault/handle-mm-fault.ts';
import {
  shouldTryToFreeSwap,
  swapcachePrepare,
  swapIn,
  swappedInExclusive,
} from './fault/swap-in.ts';
import { getUserPages } from './hmm/get-user-pages.ts';
import { gupPteRange, locklessPagesFromMm } from './hmm/gup-fast.ts';
import { hmmRangeFault, hmmVmaHandlePte } from './hmm/hmm-range-fault.ts';
import { ioMayPinVmas } from './hmm/io-pin-pages.ts';
import {
  makeDeviceExclusiveRange,
  mayMakeExclusive,
  pageMakeDeviceExclusiveOne,
} from './hmm/make-device-exclusive.ts';
import { migrateVmaFinalize } from './hmm/migrate-vma-finalize.ts';
import {
  folioMigrateMapping,
  mayMigrateToDevice,
  migrateVmaInsertPage,
  migrateVmaPages,
} from './hmm/migrate-vma-pages.ts';
import {
  migrateVmaCheckPage,
  migrateVmaCollect,
  migrateVmaCollectPmd,
  migrateVmaCollectPte,
  migrateVmaSetup,
  migrateVmaUnmap,
  takePage,
  unmapPage,
} from './hmm/migrate-vma-setup.ts';
import type { KernelFunctions } from './kernel.ts';
import { flushTlbRange } from './memory/flush-tlb.ts';
import { freePageTable, tlbRemoveTableSyncOne } from './memory/free-page-table.ts';
import { splitHugePage, splitHugePmd } from './memory/huge-pmd.ts';
import { mmgetNotZero, mmput, mmputAsync } from './memory/mm-users.ts';
import { freeAtOnce, nothingToLock, noVmaLock } from './memory/no-vma-lock.ts';
import { hugePteAt } from './memory/pte.ts';
import { pteTableGone } from './memory/pte-lock.ts';
import { folioFreeSwap, freeSwapAndCache, freeSwapCache } from './memory/swap-cache.ts';
import {
  flushTlbBatchedPending,
  setTlbUbcFlushPending,
  shouldDeferFlush,
  tryToUnmapFlush,
  tryToUnmapFlushDirty,
} from './memory/tlb-batch.ts';
import {
  movePagesPte,
  movePresentPte,
  moveSwapPte,
  userfaultfdMoveUnknown,
} from './memory/userfault-move.ts';
import { splitVma, vmaAdjust } from './memory/vma-adjust.ts';
import { mmapExpand, vmaMerge } from './memory/vma-merge.ts';
import { mnItreeInvalidate } from './notifier/ask-devices.ts';
import {
  flushTlbNotify,
  invalidateRangeAtEnd,
  mmuNotifierInvalidateRange,
  mnHlistInvalidateEnd,
  mnHlistInvalidateRangeStart,
  mnHlistRelease,
} from './notifier/classic-notifiers.ts';
import {
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuNotifierInvalidateRangeEnd,
  mmuNotifierInvalidateRangeStart,
  mnItreeInvEnd,
  openBracket,
  startCallbacks,
} from './notifier/mmu-notifier.ts';
import {
  mmTakeAllLocks,
  mmuNotifierRegister,
  mmuNotifierUnregister,
  synchronizeSrcu,
} from './notifier/register-notifier.ts';
import {
  compactPages,
  isolateLargeFolios,
  migrateFolioMove,
  migrateFolioUnmap,
  migratePages,
} from './reclaim/migrate-pages.ts';
import {
  addToSwap,
  isolateLruPages,
  reclaimPage,
  removeMapping,
  shrinkFolioList,
  shrinkInactiveList,
} from './reclaim/vmscan.ts';
import {
  anonVmaClone,
  anonVmaFork,
  anonVmaPrepare,
  unlinkAnonVmas,
  vmfAnonPrepare,
} from './rmap/anon-vma-chain.ts';
import {
  pmdpInvalidate,
  removeMigrationLarge,
  removeMigrationPmd,
  setPmdMigrationEntry,
  tryToMigrateLarge,
} from './rmap/migrate-huge-page.ts';
import {
  pageAddAnonRmap,
  pageAddFileRmap,
  pageAddNewAnonRmap,
  pageMoveAnonRmap,
  pageRemoveRmap,
  pageTryDupAnonRmap,
  pageTryShareAnonRmap,
  rmapWalk,
} from './rmap/rmap.ts';
import {
  ptepClearFlush,
  removeMigrationPte,
  removeMigrationPtes,
  restoredPte,
  tryToMigrate,
  tryToMigrateOne,
  tryToUnmap,
  tryToUnmapOne,
} from './rmap/try-to-migrate.ts';
import { exitMmap } from './syscalls/exit-mmap.ts';
import {
  copyNonpresentPte,
  copyPageRange,
  copyPresentPage,
  copyPresentPte,
  fork,
  writeProtectSeqCount,
} from './syscalls/fork.ts';
import { collapseFile, khugepagedScan, retractPageTables } from './syscalls/khugepaged.ts';
import { madvise, madviseFree, madviseFreePte, madvisePageout } from './syscalls/madvise.ts';
import {
  collapseAndFreePmd,
  collapsePteMappedThp,
  madviseCollapse,
  pmdpCollapseFlush,
} from './syscalls/madvise-collapse.ts';
import { madviseFreeHugePmd } from './syscalls/madvise-free-huge.ts';
import { detachVmas, mmap, mmapRegion, munmap } from './syscalls/mmap.ts';
import {
  canChangePteWritable,
  changedPte,
  changeProtection,
  changeProtectionStart,
  mprotect,
  mprotectAccounts,
  mprotectFixup,
} from './syscalls/mprotect.ts';
import { copyVma, movePageTables, movePtes, mremap, takeRmapLocks } from './syscalls/mremap.ts';
import { oomReapTaskMm } from './syscalls/oom-reaper.ts';
import {
  madviseRemove,
  shmemPunchHole,
  truncateInodeFolio,
  unmapMappingPages,
} from './syscalls/punch-hole.ts';
import { swapoff, tryToUnuse, unusePte } from './syscalls/swapoff.ts';
import {
  freePgdRange,
  freePgtables,
  tlbRemoveTableFree,
  unmapRegion,
  unmapVmas,
} from './syscalls/unmap-region.ts';
import { finishBatch, unmapPageRange, zapPageRange, zapPte } from './syscalls/zap-page-range.ts';

export const STOCK: KernelFunctions = {
  mmuNotifierInvalidateRangeStart,
  mmuNotifierInvalidateRangeEnd,
  mnItreeInvEnd,
  mmuIntervalReadBegin,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  openBracket,
  startCallbacks,
  mnItreeInvalidate,
  mnHlistInvalidateRangeStart,
  mnHlistInvalidateEnd,
  mmuNotifierInvalidateRange,
  invalidateRangeAtEnd,
  flushTlbNotify,
  mnHlistRelease,
  mmuNotifierRegister,
  mmuNotifierUnregister,
  synchronizeSrcu,
  mmTakeAllLocks,
  lockVmaUnderRcu: noVmaLock,
  doUserAddrFault,
  handleMmFault,
  doAnonymousPage,
  doHugePmdAnonymousPage,
  doHugePmd,
  splitHugePmd,
  splitPte: hugePteAt,
  splitHugePage,
  doFault,
  finishFault,
  doCowFault,
  doWpPage,
  mayReuse,
  wpPageReuse,
  wpPageCopy,
  wpPageCopyEnd,
  doSwapPage,
  swapIn,
  swapcachePrepare,
  swappedInExclusive,
  shouldTryToFreeSwap,
  folioFreeSwap,
  freeSwapAndCache,
  freeSwapCache,
  migrateToRam,
  removeDeviceExclusiveEntry,
  restoreExclusivePte,
  migrationEntryWait,
  hmmRangeFault,
  hmmVmaHandlePte,
  migrateVmaSetup,
  migrateVmaCollect,
  migrateVmaCollectPmd,
  migrateVmaCollectPte,
  takePage,
  migrateVmaUnmap,
  unmapPage,
  migrateVmaCheckPage,
  migrateVmaPages,
  mayMigrateToDevice,
  folioMigrateMapping,
  migrateVmaInsertPage,
  migrateVmaFinalize,
  rmapWalk,
  tryToMigrate,
  tryToMigrateOne,
  tryToMigrateLarge,
  pmdpInvalidate,
  setPmdMigrationEntry,
  tryToUnmap,
  tryToUnmapOne,
  removeMigrationPtes,
  removeMigrationPte,
  removeMigrationLarge,
  removeMigrationPmd,
  restoredPte,
  ptepClearFlush,
  pageAddNewAnonRmap,
  pageAddAnonRmap,
  pageAddFileRmap,
  pageRemoveRmap,
  pageMoveAnonRmap,
  pageTryShareAnonRmap,
  pageTryDupAnonRmap,
  vmfAnonPrepare,
  anonVmaPrepare,
  anonVmaClone,
  anonVmaFork,
  unlinkAnonVmas,
  makeDeviceExclusiveRange,
  mayMakeExclusive,
  pageMakeDeviceExclusiveOne,
  getUserPages,
  locklessPagesFromMm,
  gupPteRange,
  ioMayPinVmas,
  vmaStartWrite: nothingToLock,
  vmAreaFree: freeAtOnce,
  mmapExpand,
  vmaMerge,
  vmaAdjust,
  splitVma,
  mmapRegion,
  detachVmas,
  unmapRegion,
  unmapVmas,
  freePgtables,
  freePgdRange,
  tlbRemoveTableFree,
  zapPageRange,
  unmapPageRange,
  zapPte,
  finishBatch,
  munmap,
  mmap,
  mprotect,
  mprotectFixup,
  mprotectAccounts,
  changeProtection,
  changeProtectionStart,
  changedPte,
  canChangePteWritable,
  mremap,
  copyVma,
  movePageTables,
  takeRmapLocks,
  movePtes,
  madvise,
  madviseRemove,
  shmemPunchHole,
  unmapMappingPages,
  truncateInodeFolio,
  madviseCollapse,
  collapsePteMappedThp,
  collapseAndFreePmd,
  pmdpCollapseFlush,
  khugepagedScan,
  userfaultfdMove: userfaultfdMoveUnknown,
  movePagesPte,
  movePresentPte,
  moveSwapPte,
  collapseFile,
  retractPageTables,
  pteTableGone,
  freePageTable,
  tlbRemoveTableSyncOne,
  madviseFree,
  madviseFreeHugePmd,
  madviseFreePte,
  madvisePageout,
  shrinkInactiveList,
  isolateLruPages,
  shrinkFolioList,
  reclaimPage,
  addToSwap,
  removeMapping,
  compactPages,
  isolateLargeFolios,
  migratePages,
  migrateFolioUnmap,
  migrateFolioMove,
  fork,
  copyPageRange,
  writeProtectSeqCount,
  copyPresentPte,
  copyPresentPage,
  copyNonpresentPte,
  exitMmap,
  mmgetNotZero,
  mmput,
  mmputAsync,
  oomReapTaskMm,
  swapoff,
  tryToUnuse,
  unusePte,
  flushTlbRange,
  shouldDeferFlush,
  setTlbUbcFlushPending,
  flushTlbBatchedPending,
  tryToUnmapFlush,
  tryToUnmapFlushDirty,
  exitToUserMode,
  load,
  store,
};
