import {
  correctedLateExclusive,
  newCorrectedDmirror,
  performCorrectedVerb,
} from '../corrected-dmirror.ts';
import { freeFrames } from '../device-memory.ts';
import { dmirrorOpen } from '../dmirror.ts';
import { performLabVerb } from '../faulty/lab-verb.ts';
import type { DriverVariant } from './driver-variant.ts';

export const lateExclusive: DriverVariant = {
  id: 'late-exclusive',
  provenance: 'constructed, after drivers/gpu/drm/nouveau/nouveau_svm.c',
  summary: 'corrected, but enters exclusive pages under their own locks alone, behind mmap_lock',
  newDevice: (options) => {
    const made = newCorrectedDmirror(options);
    return {
      callbacks: made.callbacks,
      open: () => dmirrorOpen(made.dmirror),
      freeFrames: () => freeFrames(made.dmirror.memory),
      perform: (verb) =>
        performLabVerb(made.dmirror, verb, (own) =>
          performCorrectedVerb(made, own, correctedLateExclusive),
        ),
    };
  },
};
