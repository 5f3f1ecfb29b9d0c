/** Drivers that are dmirror but for some of its functions. */
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror.ts';
import type { Dmirror, DmirrorFunctions } from '../dmirror-state.ts';
import type { DriverOptions, LabDevice } from './driver-variant.ts';
import { performLabVerb } from './lab-verb.ts';

/** A device whose driver has `functions` in the place of dmirror's own. */
export function dmirrorWith(
  options: DriverOptions,
  functions: Partial<DmirrorFunctions>,
): LabDevice {
  const dmirror: Dmirror = newDmirror(options, { ...DMIRROR_FUNCTIONS, ...functions });
  return {
    callbacks: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    perform: (verb) => performLabVerb(dmirror, verb),
  };
}
