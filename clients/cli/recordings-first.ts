/** What the recordings of Linux that ship say of a patch, before any search: sequences, and no interleavings. */
import type { KernelId } from '../../server/abi/kernel-ids.ts';
import { newMachineWorld } from '../../server/conformance/traces/machine-world.ts';
import { readTraces } from '../../server/conformance/traces/read-traces.ts';
import { type ProgramOutcome, runProgram } from '../../server/conformance/traces/run-program.ts';
import { shippedRecordings } from '../../server/conformance/traces/shipped-recordings.ts';
import type { Patch } from '../../server/patches/patch.ts';
import { LIST_COLUMNS_MAX } from '../../server/report/lines/list-columns.ts';
import { wrapText } from '../../server/report/lines/wrap-text.ts';

export interface RecordingsAnswer {
  readonly kernel: KernelId;
  /** Programs that agree. */
  readonly agree: number;
  /** The first that does not. */
  readonly differs: Extract<ProgramOutcome, { kind: 'failed' }> | 'none';
  /** 'budget': there are more, and time was up. */
  readonly ended: 'all asked' | 'budget' | 'interrupted';
}

export interface RecordingsBudget {
  readonly seconds: number;
  /** Asked before each program. */
  readonly goOn: () => 'go on' | 'stop';
}

/** Stops at the first difference. 'none' if no recordings of that kernel are at hand. Throws what user code throws. */
export async function askRecordings(
  kernel: KernelId,
  patches: readonly Patch[],
  { seconds, goOn }: RecordingsBudget,
): Promise<RecordingsAnswer | 'none'> {
  const files = shippedRecordings(kernel);
  if (files.length === 0) return 'none';
  const until = performance.now() + seconds * 1_000;
  const version = kernel;
  let agree = 0;
  for await (const { program } of readTraces(files)) {
    const outcome = await runProgram(program, (each) =>
      newMachineWorld(each, { version, patches }),
    );
    if (outcome.kind === 'failed') return { kernel, agree, differs: outcome, ended: 'all asked' };
    if (outcome.kind === 'passed') agree += 1;
    // Ctrl-C is heard between two programs.
    await new Promise((resolve) => setImmediate(resolve));
    if (goOn() === 'stop') return { kernel, agree, differs: 'none', ended: 'interrupted' };
    if (performance.now() > until) return { kernel, agree, differs: 'none', ended: 'budget' };
  }
  return { kernel, agree, differs: 'none', ended: 'all asked' };
}

/** `after`: what the patch is called. Lines that fit a mail. */
export function recordingsText(
  { kernel, agree, differs, ended }: RecordingsAnswer,
  after: string,
): string {
  const programs = agree === 1 ? '1 program agrees' : `${agree} programs agree`;
  const lines =
    differs === 'none'
      ? [
          `Recordings of Linux ${kernel} alone: ${programs} with ${after}` +
            `${ended === 'all asked' ? '' : '; there are more, which were not asked'}.`,
        ]
      : [
          `The recordings of Linux ${kernel} alone refute ${after}: ${differs.program}, operation ` +
            `${differs.op} (${differs.name}), ${differs.difference.field}`,
          `expected ${differs.difference.expected}`,
          `got      ${differs.difference.actual}`,
        ];
  return lines
    .flatMap((line, at) =>
      wrapText(line, LIST_COLUMNS_MAX - 2).map((part) => (at === 0 ? part : `  ${part}`)),
    )
    .join('\n');
}
