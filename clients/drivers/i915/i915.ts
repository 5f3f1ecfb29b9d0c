import type { Task } from '../../../server/task/task.ts';
import { OK } from '../../../server/vocabulary/errno.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import { performGpuVerb } from '../hardware/gpu-verbs.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { I915, submitBatch, userptrInvalidate, validateUserptr } from './i915-userptr.ts';

export const i915Userptr: DriverVariant = {
  id: 'i915-userptr',
  provenance: 'drivers/gpu/drm/i915/gem/i915_gem_userptr.c, Linux 6.12',
  summary:
    'maps pages for one batch at a time, asked for at its submission; the callback waits for batches',
  newDevice(options) {
    const i915 = new I915(options);
    return {
      callbacks: {
        invalidate: (sub, range, seq) => userptrInvalidate(i915, sub, range, seq),
        *migrateToRam() {
          throw new Error('no page is in the memory of this device');
        },
        *pageFree() {
          throw new Error('no page is in the memory of this device');
        },
        *release() {
          // No batch runs when the last user of the process is gone: it held the object.
        },
      },
      *open() {
        return OK;
      },
      perform: (verb) => performOnObject(i915, verb),
    };
  },
};

/** The GPU has no page faults: all pages of a verb are there before it begins, or it fails. */
function* performOnObject(i915: I915, verb: DmirrorVerb): Task<DmirrorResult> {
  if (verb.verb === 'release') return { errno: 'EINVAL' };
  const { range } = verb;
  const access = verb.verb === 'write' || verb.verb === 'fault-write' ? 'write' : 'read';
  switch (verb.verb) {
    case 'read':
    case 'write': {
      const ran = yield* submitBatch(i915, range, access, function* () {
        return { ok: true, value: yield* onGpu(i915, verb) };
      });
      return ran.ok ? ran.value : { errno: ran.errno };
    }
    case 'fault-read':
    case 'fault-write': {
      const had = yield* validateUserptr(i915, range, access);
      return { errno: had.ok ? 'OK' : had.errno };
    }
    default:
      return { errno: 'EINVAL' };
  }
}

function onGpu(i915: I915, verb: DmirrorVerb): Task<DmirrorResult> {
  return performGpuVerb(i915.gpu, { running: (body) => body(), fault: noFault }, verb);
}

function* noFault(): ReturnType<typeof validateUserptr> {
  return { ok: false, errno: 'EFAULT' };
}
