import { writeLock, writeUnlock } from '../../../server/task/rwsem.ts';
import type { Task } from '../../../server/task/task.ts';
import { addMemory, freeFrame } from '../hardware/copy-engine.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import { allMapped } from '../hardware/device-page-table.ts';
import { gpuPeerMemory, zap } from '../hardware/gpu.ts';
import { type GpuActions, performGpuVerb } from '../hardware/gpu-verbs.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import {
  Gpusvm,
  gpusvmInvalidate,
  type UnmapPages,
  underNotifierLock,
  unmapPages,
} from './gpusvm.ts';
import { type MapPages, mapPages, xeHandlePagefault } from './xe-fault.ts';
import { evictRange, migrateToRam } from './xe-migrate.ts';

/** Where xe went wrong. */
export interface XeFunctions {
  readonly mapPages: MapPages;
  readonly unmapPages: UnmapPages;
}

export const XE_FUNCTIONS: XeFunctions = { mapPages, unmapPages };

export const xe: DriverVariant = {
  id: 'xe',
  provenance: 'drivers/gpu/drm/drm_gpusvm.c, drm_pagemap.c, xe/xe_svm.c, Linux 6.16',
  summary:
    'wide subscriptions, a mark of validity on each range, and migrates all of a range or nothing',
  newDevice: (options) => xeWith(options, XE_FUNCTIONS),
};

/** xe with some of its functions replaced. */
export function xeWith(options: DriverOptions, fn: XeFunctions): LabDevice {
  const svm = new Gpusvm(options, fn.unmapPages);
  const { gpu } = svm;
  const actions: GpuActions = {
    running: (body) => underNotifierLock(svm, 'engine.run', body),
    fault: (page, access) => xeHandlePagefault(svm, fn.mapPages, page, access, 'as it is'),
    migrate: ({ first }) => xeHandlePagefault(svm, fn.mapPages, first, 'read', 'vram'),
    evict: (range) => evictRange(svm, range),
  };
  return {
    callbacks: {
      invalidate: (sub, range, seq) => gpusvmInvalidate(svm, sub, range, seq),
      migrateToRam: (fault) => migrateToRam(svm, fault),
      pageFree: (pfn) => freeFrame(gpu, pfn),
      release: () => closeVm(svm),
      peerMemory: gpuPeerMemory(gpu),
    },
    open: () => addMemory(gpu),
    perform: (verb) => performGpuVerb(gpu, actions, verb),
    freeFrames: () => freeFrames(gpu.memory),
  };
}

function* closeVm(svm: Gpusvm): Task<void> {
  const { context, pageTable } = svm.gpu;
  const held = yield* writeLock(context, 'xe_vm_close.lock', svm.notifierLock);
  svm.bound.clear();
  yield* zap(svm.gpu, 'xe_vm_close.unmap', allMapped(pageTable));
  writeUnlock(context, held);
}
