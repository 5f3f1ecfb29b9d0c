/** The result of a conformance run: as text for people, as one object for programs. */
import type { ProgramOutcome } from './run-program.ts';

/** Differences that the text names; all are in the object. */
const DIFFERENCES_SHOWN_MAX = 20;

export interface FirstDifference {
  readonly program: string;
  /** Index of the operation in its program, from 0. */
  readonly op: number;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** What `--json` prints. */
export interface ConformanceReport {
  readonly programs: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Operations performed and compared. */
  readonly ops: number;
  /** Programs by the kernel that they were run on. */
  readonly kernels: { readonly [kernel: string]: number };
  /** One for each program that failed. */
  readonly firstDifferences: readonly FirstDifference[];
}

export function tracesReport(outcomes: readonly ProgramOutcome[]): ConformanceReport {
  const firstDifferences: FirstDifference[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind !== 'failed') continue;
    const { program, op, difference } = outcome;
    firstDifferences.push({ program, op, ...difference });
  }
  return {
    programs: outcomes.length,
    passed: outcomes.filter(({ kind }) => kind === 'passed').length,
    failed: firstDifferences.length,
    skipped: outcomes.filter(({ kind }) => kind === 'skipped').length,
    ops: outcomes.reduce((sum, { ops }) => sum + ops, 0),
    kernels: kernelsOf(outcomes),
    firstDifferences,
  };
}

function kernelsOf(outcomes: readonly ProgramOutcome[]): ConformanceReport['kernels'] {
  const kernels: { [kernel: string]: number } = {};
  for (const { kernel } of outcomes) {
    if (kernel !== undefined) kernels[kernel] = (kernels[kernel] ?? 0) + 1;
  }
  return kernels;
}

/** The process exit code: 1 if a program differs, 4 if none was compared to its end, else 0. */
export function tracesExitCode(report: ConformanceReport): 0 | 1 | 4 {
  if (report.failed > 0) return 1;
  return report.passed === 0 ? 4 : 0;
}

export function reportText(outcomes: readonly ProgramOutcome[]): string {
  const report = tracesReport(outcomes);
  const lines = [
    `${report.passed} of ${report.programs} programs agree with the traces` +
      ` (${report.failed} differ, ${report.skipped} skipped; ${report.ops} operations)`,
    ...Object.entries(report.kernels).map(
      ([kernel, count]) => `${count} of them on kernel ${kernel}`,
    ),
    ...failedLines(outcomes),
    ...skippedLines(outcomes),
  ];
  return `${lines.join('\n')}\n`;
}

function failedLines(outcomes: readonly ProgramOutcome[]): string[] {
  const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
  const lines = failed
    .slice(0, DIFFERENCES_SHOWN_MAX)
    .flatMap((outcome) => [
      `${outcome.program}: operation ${outcome.op} (${outcome.name}): ${outcome.difference.field}`,
      `    expected ${outcome.difference.expected}`,
      `    actual   ${outcome.difference.actual}`,
    ]);
  const more = failed.length - DIFFERENCES_SHOWN_MAX;
  return more > 0 ? [...lines, `and ${more} more that differ`] : lines;
}

function skippedLines(outcomes: readonly ProgramOutcome[]): string[] {
  const features = new Map<string, number>();
  for (const outcome of outcomes) {
    if (outcome.kind !== 'skipped') continue;
    features.set(outcome.feature, (features.get(outcome.feature) ?? 0) + 1);
  }
  return [...features].map(([feature, count]) => `${count} skipped: ${feature} is not modelled`);
}
