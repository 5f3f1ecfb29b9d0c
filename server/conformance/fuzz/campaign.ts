/** Many random programs, each from a number of its own: what was found, by class, the first of each made small. */
import { DEFAULT_KERNEL, type KernelId } from '../../abi/kernel-ids.ts';
import type { Patch } from '../../patches/patch.ts';
import type { StepListener } from '../../scheduler/scheduler.ts';
import { type DriverName, FUZZ_DRIVERS } from './device-world.ts';
import { findingClass } from './finding-class.ts';
import type { FindingFile } from './finding-file.ts';
import { FUZZ_SETS, type FuzzSet } from './fuzz-program.ts';
import { generateGenes } from './generate-genes.ts';
import { type Gene, programOfGenes } from './genes.ts';
import { newRandom } from './random.ts';
import { randomPolicy } from './random-policy.ts';
import { runFuzzProgram } from './run-fuzz-program.ts';
import type { FoundBy } from './shrink-finding.ts';

export interface CampaignOptions {
  /** Campaigns with other seeds run other programs. */
  readonly seed: number;
  readonly count: number;
  readonly driver: DriverName;
  /** DEFAULT_KERNEL unless said. */
  readonly kernel?: KernelId;
  readonly patches: readonly Patch[];
  /** One set only, or all in turn. */
  readonly set: FuzzSet | 'all';
  /** Makes the first finding of a class small. */
  readonly shrink: (found: FoundBy) => FoundBy;
  /** Makes what is told of each step of one program. */
  readonly listener?: () => StepListener;
  /** Called after each program. */
  readonly onProgress: (progress: CampaignReport) => void;
}

/** Programs that came to the same. */
export interface FindingGroup {
  readonly class: string;
  count: number;
  /** The first of them: its place in the campaign, and what it shrank to. */
  readonly first: number;
  readonly file: FindingFile;
}

export interface CampaignReport {
  programs: number;
  /** Operations performed. */
  ops: number;
  /** Steps that the scheduler took. */
  steps: number;
  readonly findings: FindingGroup[];
}

/** The set of the program number `at` of a campaign. */
export function setOf(options: Pick<CampaignOptions, 'set'>, at: number): FuzzSet {
  return options.set === 'all' ? (FUZZ_SETS[at % FUZZ_SETS.length] ?? 'anon') : options.set;
}

/** The genes of the program number `at`, and the seed of its schedule. */
export function programAt(
  options: Pick<CampaignOptions, 'seed' | 'set'>,
  at: number,
): { readonly set: FuzzSet; readonly genes: readonly Gene[]; readonly schedule: number } {
  const set = setOf(options, at);
  const schedule = (Math.imul(options.seed, 0x9e3779b1) + at) >>> 0;
  return { set, genes: generateGenes(set, newRandom(schedule)), schedule };
}

export function runCampaign(options: CampaignOptions): CampaignReport {
  const { kernel = DEFAULT_KERNEL } = options;
  const report: CampaignReport = { programs: 0, ops: 0, steps: 0, findings: [] };
  for (let at = 0; at < options.count; at += 1) {
    const { set, genes, schedule } = programAt(options, at);
    const run = runFuzzProgram(programOfGenes(set, genes), {
      policy: randomPolicy(schedule),
      newDriver: FUZZ_DRIVERS[options.driver],
      kernel,
      patches: options.patches,
      ...(options.listener === undefined ? {} : { onStep: options.listener() }),
    });
    report.programs += 1;
    report.ops += run.ops;
    report.steps += run.steps;
    if (run.finding !== 'none')
      keep(report, options, at, { set, genes, schedule, finding: run.finding });
    options.onProgress(report);
  }
  return report;
}

function keep(report: CampaignReport, options: CampaignOptions, at: number, found: FoundBy): void {
  const name = findingClass(found.finding);
  const known = report.findings.find((group) => group.class === name);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  const small = options.shrink(found);
  const file: FindingFile = {
    about: [`Program ${at} of mmrace fuzz --seed ${options.seed}, shrunk.`],
    driver: options.driver,
    kernel: options.kernel ?? DEFAULT_KERNEL,
    patches: options.patches.map(({ id, file: own }) => own ?? id),
    program: programOfGenes(small.set, small.genes),
    schedule: small.schedule,
    finding: small.finding,
  };
  report.findings.push({ class: name, count: 1, first: at, file });
}
