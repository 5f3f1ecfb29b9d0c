import { objectId } from '../../../server/task/object-id.ts';
import { type Task, waitUntil, willRead, willWrite } from '../../../server/task/task.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { evictChunk } from '../dmirror/dmirror-release.ts';
import type { Dmirror } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import {
  type DeviceChunk,
  deviceFramesInUse,
  removeFreeFrames,
} from '../hardware/device-memory.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';

/** Race 50: an eviction passes over pages that are locked just then; who does not look again leaves them behind. */
export const evictsOnce: DriverVariant = {
  id: 'evicts-once',
  provenance:
    'the bug that "drm/pagemap, drm/xe: Manage drm_pagemap provider lifetimes" rules out; teardown of lib/test_hmm.c',
  summary:
    'release evicts its memory once and goes, whether pages are left or not; then nobody serves faults on these',
  newDevice: (options) => unloading(options, evictChunk),
};

/** The cure, with a wait where lib/test_hmm.c tries again and again. */
export const evictsUntilEmpty: DriverVariant = {
  id: 'evicts-until-empty',
  provenance: 'constructed, after dmirror_device_remove_chunks() of lib/test_hmm.c',
  summary: 'release evicts its memory, again whenever a page has left, and goes when none is left',
  newDevice: (options) => unloading(options, evictAll),
};

type Evict = (dmirror: Dmirror, chunk: DeviceChunk) => Task<Result<void>>;

/** A device that is gone for good after `release`. */
function unloading(options: DriverOptions, evict: Evict): LabDevice {
  const dmirror = newDmirror(options, DMIRROR_FUNCTIONS);
  const driver = dmirrorDriver(dmirror);
  const object = objectId('device', options.deviceNumber, 1);
  let provider: 'loaded' | 'gone' = 'loaded';
  return {
    callbacks: {
      ...driver,
      *migrateToRam(fault) {
        yield willRead('dmirror_devmem_fault.begin', object);
        // Linux would call into what was unloaded.
        return provider === 'gone' ? fail('EIO') : yield* driver.migrateToRam(fault);
      },
    },
    open: () => dmirrorOpen(dmirror),
    *perform(verb) {
      if (verb.verb !== 'release') return yield* performLabVerb(dmirror, verb);
      for (const chunk of dmirror.memory.chunks) {
        yield willWrite('dmirror_device_remove_chunks.remove', dmirror.memory.freeListObject);
        removeFreeFrames(dmirror.memory, chunk);
        const evicted = yield* evict(dmirror, chunk);
        if (!evicted.ok) return { errno: evicted.errno };
      }
      yield willWrite('dmirror_device_remove.unload', object);
      provider = 'gone';
      return { errno: 'OK' };
    },
  };
}

function* evictAll(dmirror: Dmirror, chunk: DeviceChunk): Task<Result<void>> {
  const { memory } = dmirror;
  for (let left = deviceFramesInUse(memory, chunk); left > 0; ) {
    const evicted = yield* evictChunk(dmirror, chunk);
    if (!evicted.ok) return evicted;
    const before = left;
    yield waitUntil(
      'memunmap_pages.wait',
      memory.freeListObject,
      () => deviceFramesInUse(memory, chunk) < before,
    );
    left = deviceFramesInUse(memory, chunk);
  }
  return OK;
}
