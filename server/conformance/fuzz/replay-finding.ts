import type { Event } from '../../abi/event.ts';
import type { Patch } from '../../patches/patch.ts';
import { type DriverName, FUZZ_DRIVERS } from './device-world.ts';
import { findingClass } from './finding-class.ts';
import type { FindingFile } from './finding-file.ts';
import { randomPolicy } from './random-policy.ts';
import { type Finding, runFuzzProgram } from './run-fuzz-program.ts';

export interface FindingReplayOptions {
  readonly patches: readonly Patch[];
  /** Another driver than the file's, to see whether that one has it, too. */
  readonly driver: DriverName;
  /**
   * Schedules to try after the file's own. A seed stands for other interleavings once a yield point has moved, so an
   * old file may need some.
   */
  readonly schedules: number;
}

export interface ShownFinding {
  readonly schedule: number;
  readonly finding: Finding;
  /** What happened up to it. */
  readonly events: readonly Event[];
}

/** Runs the program of `file` until it shows a finding of the class that the file names. */
export function replayFinding(
  file: FindingFile,
  options: FindingReplayOptions,
): ShownFinding | 'not seen' {
  const wanted = findingClass(file.finding);
  for (let at = 0; at <= options.schedules; at += 1) {
    const schedule = (file.schedule + at) >>> 0;
    const { finding, events } = runFuzzProgram(file.program, {
      policy: randomPolicy(schedule),
      newDriver: FUZZ_DRIVERS[options.driver],
      kernel: file.kernel,
      patches: options.patches,
    });
    if (finding !== 'none' && findingClass(finding) === wanted)
      return { schedule, finding, events };
  }
  return 'not seen';
}
