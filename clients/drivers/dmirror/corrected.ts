import { freeFrames } from '../hardware/device-memory.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import {
  contentOfCorrected,
  newCorrectedDmirror,
  performCorrectedVerb,
} from './corrected-dmirror.ts';
import { dmirrorOpen } from './dmirror.ts';
import { performLabVerb } from './lab-verb.ts';

export const corrected: DriverVariant = {
  id: 'corrected',
  provenance: 'lib/test_hmm.c, Linux 6.1, changed here',
  summary:
    'dmirror without its known races: every invalidation counts, and nothing that was lost is mapped',
  newDevice: (options) => {
    const made = newCorrectedDmirror(options);
    return {
      callbacks: made.callbacks,
      open: () => dmirrorOpen(made.dmirror),
      freeFrames: () => freeFrames(made.dmirror.memory),
      contentOf: (object) => contentOfCorrected(made, object),
      perform: (verb) =>
        performLabVerb(made.dmirror, verb, (own) => performCorrectedVerb(made, own)),
    };
  },
};
