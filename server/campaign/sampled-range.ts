/** The executions of a random search that one unit has, in the parts that any search has them in. */
import type { Measured } from '../explorer/measure.ts';
import {
  PART_EXECUTIONS,
  type PartResult,
  type SampledPart,
} from '../verify/explore/sampled-parts.ts';

/** Parts of one unit: about a second. */
const PARTS_PER_UNIT = 5;

/** What came of them. Those behind the first that failed are missing. */
export interface SampledRange {
  readonly measured: Measured;
  readonly parts: readonly PartResult[];
}

/** `executions` behind the `skipped` first, cut into units. */
export function rangesOf(executions: number, skipped: number): SampledPart[] {
  const size = PARTS_PER_UNIT * PART_EXECUTIONS;
  return Array.from({ length: Math.ceil(executions / size) }, (_, at) => ({
    first: skipped + at * size,
    executions: Math.min(size, executions - at * size),
  }));
}

export function partsIn({ first, executions }: SampledPart): SampledPart[] {
  return Array.from({ length: Math.ceil(executions / PART_EXECUTIONS) }, (_, at) => ({
    first: first + at * PART_EXECUTIONS,
    executions: Math.min(PART_EXECUTIONS, executions - at * PART_EXECUTIONS),
  }));
}
