/**
 * Makes a program that shows a finding as small as it gets: first operations are left out while the finding stays,
 * then fast-check makes what is left simpler. A smaller program runs another course under the same schedule, so each
 * candidate gets several schedules before it counts as not showing the finding.
 */
import fc from 'fast-check';
import { findingClass } from './finding-class.ts';
import type { FuzzSet } from './fuzz-program.ts';
import {
  EXTRA_END,
  GENE_KINDS,
  type Gene,
  LENGTHS,
  programOfGenes,
  WINDOW_PAGES,
} from './genes.ts';
import { randomPolicy } from './random-policy.ts';
import { type Finding, type FuzzRunOptions, runFuzzProgram } from './run-fuzz-program.ts';

/** Schedules that a candidate gets. */
export const SCHEDULES_MIN = 16;
export const SCHEDULES_MAX = 400;
/** Runs of a program in all; then the smallest so far is taken. */
export const SHRINK_RUNS_MAX = 5_000;
/** Schedules from which the one is taken that is easiest to read. */
const READABLE_SCHEDULES = 300;

export interface FoundBy {
  readonly set: FuzzSet;
  readonly genes: readonly Gene[];
  /** The seed of the schedule. */
  readonly schedule: number;
  readonly finding: Finding;
}

const bit = fc.nat(1);
const gene: fc.Arbitrary<Gene> = fc.record({
  kind: fc.nat(GENE_KINDS.length - 1),
  alone: bit,
  actor: bit,
  thread: bit,
  page: fc.nat(WINDOW_PAGES - 1),
  more: fc.nat(LENGTHS - 1),
  extra: fc.nat(EXTRA_END - 1),
});
const genesOfProgram = fc.array(gene, { maxLength: 64 });

/** Returns: the smallest program found that has a finding of the same class, and a schedule that shows it. */
export function shrinkFinding(found: FoundBy, run: Omit<FuzzRunOptions, 'policy'>): FoundBy {
  const wanted = findingClass(found.finding);
  let best = found;
  let runs = 0;
  let schedules = SCHEDULES_MAX;
  const shows = (genes: readonly Gene[]): boolean => {
    for (let at = 0; at < schedules && runs < SHRINK_RUNS_MAX; at += 1) {
      const schedule = (found.schedule + at) >>> 0;
      const policy = randomPolicy(schedule);
      const { finding } = runFuzzProgram(programOfGenes(found.set, genes), {
        ...run,
        policy,
      });
      runs += 1;
      if (finding === 'none' || findingClass(finding) !== wanted) continue;
      best = { set: found.set, genes, schedule, finding };
      // A candidate that needs this many is given up with one chance in a hundred.
      schedules = Math.min(SCHEDULES_MAX, Math.max(schedules, SCHEDULES_MIN, 5 * (at + 1)));
      return true;
    }
    return false;
  };
  schedules = SCHEDULES_MIN;
  leaveOut(found.genes, shows);
  fc.check(
    fc.property(genesOfProgram, (genes) => !shows(genes)),
    { examples: [[best.genes.slice()]], numRuns: 1 },
  );
  return easiestToRead(best, run);
}

/** The schedule under which the CPU changes hands least often. */
function easiestToRead(found: FoundBy, run: Omit<FuzzRunOptions, 'policy'>): FoundBy {
  const wanted = findingClass(found.finding);
  const program = programOfGenes(found.set, found.genes);
  let best = found;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < READABLE_SCHEDULES; at += 1) {
    const schedule = (found.schedule + at) >>> 0;
    const policy = randomPolicy(schedule);
    const { finding, events } = runFuzzProgram(program, { ...run, policy });
    if (finding === 'none' || findingClass(finding) !== wanted) continue;
    const changes = events.filter(({ task }, event) => task !== events[event - 1]?.task).length;
    if (changes >= least) continue;
    least = changes;
    best = { ...found, schedule, finding };
  }
  return best;
}

/** Leaves out halves, quarters, ... and single operations while `shows` says that the finding stays. */
function leaveOut(all: readonly Gene[], shows: (genes: readonly Gene[]) => boolean): void {
  let genes = all;
  for (let size = genes.length >> 1; size > 0; ) {
    let shrunk = false;
    // From the back: what comes after the finding goes first.
    for (let first = genes.length - size; first > -size; first -= size) {
      const rest = genes.filter((_, at) => at < first || at >= first + size);
      if (rest.length === genes.length || !shows(rest)) continue;
      genes = rest;
      shrunk = true;
    }
    if (size > 1) size >>= 1;
    else if (!shrunk) return;
  }
}
