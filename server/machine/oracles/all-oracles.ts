/** Every oracle, in the order in which they look at an event and at the end of a run. */
import { CONTRACT_ORACLE } from '../../vocabulary/rules.ts';
import { entryChanges } from './entry-changes.ts';
import { exclusivity } from './exclusivity.ts';
import { frameSafety } from './frame-safety.ts';
import { leftNothing } from './left-behind.ts';
import { longTermPins } from './long-term-pins.ts';
import { mirrorCoherence } from './mirror-coherence.ts';
import type { Oracle } from './oracle.ts';
import { privateFrames } from './private-frames.ts';
import { rights } from './rights.ts';
import { tlbCoherence } from './tlb-coherence.ts';
import { values } from './values.ts';

/** Watched by the run of a scenario: which tasks wait for ever, and which only fault. */
const progress: Oracle = {
  id: 'OR5',
  name: 'progress',
  asked: 'always',
};

/** Watched between devices and kernel, in contract/. */
const contract: Oracle = {
  id: CONTRACT_ORACLE,
  name: CONTRACT_ORACLE,
  asked: 'by name',
};

/** Recorded by the locks themselves, whether or not it deadlocks. */
const lockOrder: Oracle = {
  id: 'LK3',
  name: 'lock order',
  asked: 'by name',
};

export const ORACLES: readonly Oracle[] = [
  mirrorCoherence,
  frameSafety,
  values,
  leftNothing,
  progress,
  contract,
  lockOrder,
  rights,
  longTermPins,
  privateFrames,
  tlbCoherence,
  exclusivity,
  entryChanges,
];
