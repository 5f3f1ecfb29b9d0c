/** Drivers that are dmirror but for some of its functions. */
import type { ObjectId } from '../../../server/task/object-id.ts';
import { suggestion } from '../../../server/vocabulary/nearest-word.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import type { DriverOptions, LabDevice } from '../interface/driver-variant.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from './dmirror.ts';
import { contentOfDmirror } from './dmirror-contents.ts';
import type { Dmirror, DmirrorFunctions } from './dmirror-state.ts';
import { performLabVerb } from './lab-verb.ts';

/**
 * A device whose driver has `functions` in the place of dmirror's own. `keeps`: whether these remember anything from
 * one call to the next; if they do, the explorer cannot know it, and finds fewer states equal.
 *
 * Throws: TypeError for a function that dmirror does not have: it would never be called.
 */
export function dmirrorWith(
  options: DriverOptions,
  functions: Partial<DmirrorFunctions>,
  keeps: 'nothing' | 'something' = 'something',
): LabDevice {
  for (const name of Object.keys(functions)) {
    if (Object.hasOwn(DMIRROR_FUNCTIONS, name)) continue;
    const known = Object.keys(DMIRROR_FUNCTIONS);
    const hint = suggestion(name, known) || `; it has ${known.join(', ')}`;
    throw new TypeError(`dmirror has no function "${name}"${hint}`);
  }
  const dmirror: Dmirror = newDmirror(options, { ...DMIRROR_FUNCTIONS, ...functions });
  return {
    callbacks: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    perform: (verb) => performLabVerb(dmirror, verb),
    freeFrames: () => freeFrames(dmirror.memory),
    ...(keeps === 'nothing'
      ? { contentOf: (object: ObjectId) => contentOfDmirror(dmirror, object) }
      : {}),
  };
}
