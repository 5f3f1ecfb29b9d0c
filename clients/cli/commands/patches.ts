import type { Command } from 'commander';
import type { KernelId } from '../../../server/abi/kernel-ids.ts';
import { addFormOptions, type FormOptions, printAnswer } from '../answer-form.ts';
import { ending } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { kernelOption } from '../kernel-option.ts';

export function addPatchesCommand(program: Command): void {
  const command = program
    .command('patches')
    .description('the patches that ship: what each changes, where it comes from, what shows it')
    .argument('[ids...]', 'only these')
    .option('--diff', 'the functions that each changes, as a unified diff against stock')
    .addOption(kernelOption('of which the diff is'))
    .addHelpText('after', EXAMPLES);
  addFormOptions(command, 'patch').action(ending(patches));
}

const EXAMPLES = `
Examples:
  mmrace patches
  mmrace patches remove-second-invalidate
  mmrace patches remove-second-invalidate --diff
  mmrace patches --json
  mmrace explore scenarios/seed-zero-page.yaml --patch remove-second-invalidate`;

interface PatchesOptions extends FormOptions {
  readonly diff?: true;
  readonly kernel?: KernelId;
}

interface Listed {
  readonly id: string;
  readonly summary: string;
  readonly provenance: string;
  /** Scenarios that it breaks. */
  readonly shownBy: readonly string[];
  /** With --diff. */
  readonly diff?: string;
}

async function patches(ids: readonly string[], options: PatchesOptions): Promise<ExitCode> {
  const all = await listed(options);
  const { suggestion } = await import('../../../server/vocabulary/nearest-word.ts');
  const known = all.map(({ id }) => id);
  for (const id of ids) {
    if (known.includes(id)) continue;
    throw new UsageError(
      `there is no patch "${id}"${suggestion(id, known)}; mmrace patches lists them`,
    );
  }
  const chosen = ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
  const { paragraph } = await import('../paragraph.ts');
  const texts = chosen.map(({ id, summary, provenance, shownBy, diff }) => {
    // As a tool takes it.
    if (diff !== undefined) return diff.trimEnd();
    const shown = shownBy.length === 0 ? 'no scenario that ships' : shownBy.join(', ');
    const lines = [summary, `From: ${provenance}`, `Shown by: ${shown}`];
    return [id, ...lines.map((line) => paragraph(line, '  '))].join('\n');
  });
  printAnswer(options, {
    whole: { patches: chosen },
    parts: chosen,
    text: () => texts.join('\n\n'),
  });
  return EXIT.OK;
}

async function listed({ diff, kernel }: PatchesOptions): Promise<readonly Listed[]> {
  const { STOCK_NAME } = await import('../../../server/patches/joint-name.ts');
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  const { shippedScenario, shippedScenarioNames } = await import(
    '../../../server/scenario/shipped-scenarios.ts'
  );
  const shownBy = new Map<string, string[]>();
  for (const name of shippedScenarioNames()) {
    const scenario = shippedScenario(name);
    if (scenario === 'none') continue;
    for (const [patch, verdict] of Object.entries(scenario.expect.patches ?? {})) {
      if (verdict !== 'broken' || patch === STOCK_NAME) continue;
      shownBy.set(patch, [...(shownBy.get(patch) ?? []), name]);
    }
  }
  const { DEFAULT_KERNEL } = await import('../../../server/abi/kernel-ids.ts');
  const { kernelFunctions } = await import('../../../server/kernel/versions/kernels.ts');
  const { patchDiff } = await import('../../../server/scenario/patch-diff.ts');
  const stock = kernelFunctions(kernel ?? DEFAULT_KERNEL);
  return [...PATCHES.values()].map((patch) => ({
    id: patch.id,
    summary: patch.summary,
    provenance: patch.provenance,
    shownBy: shownBy.get(patch.id) ?? [],
    ...(diff === true ? { diff: patchDiff(stock, patch) } : {}),
  }));
}
