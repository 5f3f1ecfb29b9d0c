import type { DriverVariant } from '../interface/driver-variant.ts';
import { dmirrorWith } from './dmirror-variant.ts';

/** dmirror as it is: faults of its own included. */
export const faithful: DriverVariant = {
  id: 'dmirror',
  provenance: 'lib/test_hmm.c, Linux 6.1',
  summary: 'the reference driver, with its three known races',
  newDevice: (options) => dmirrorWith(options, {}, 'nothing'),
};
