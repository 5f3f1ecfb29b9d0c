import {
  contentOfCorrected,
  correctedLateExclusive,
  newCorrectedDmirror,
  performCorrectedVerb,
} from '../dmirror/corrected-dmirror.ts';
import { dmirrorOpen } from '../dmirror/dmirror.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

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
      contentOf: (object) => contentOfCorrected(made, object),
      perform: (verb) =>
        performLabVerb(made.dmirror, verb, (own) =>
          performCorrectedVerb(made, own, correctedLateExclusive),
        ),
    };
  },
};
