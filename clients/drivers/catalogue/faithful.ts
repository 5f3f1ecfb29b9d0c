import { dmirrorWith } from '../faulty/dmirror-variant.ts';
import type { DriverVariant } from './driver-variant.ts';

/** dmirror as it is: faults of its own included. */
export const faithful: DriverVariant = {
  id: 'dmirror',
  provenance: 'lib/test_hmm.c, Linux 6.1',
  summary: 'the reference driver, with its three known races',
  newDevice: (options) => dmirrorWith(options, {}, 'nothing'),
};
