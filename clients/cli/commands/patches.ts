import type { Command } from 'commander';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';

export function addPatchesCommand(program: Command): void {
  program
    .command('patches')
    .description('the patches that ship: what each changes, where it comes from, what shows it')
    .argument('[ids...]', 'only these')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(ending(patches));
}

const EXAMPLES = `
Examples:
  mmrace patches
  mmrace patches remove-second-invalidate
  mmrace patches --json
  mmrace explore scenarios/seed-zero-page.yaml --patch remove-second-invalidate`;

interface Listed {
  readonly id: string;
  readonly summary: string;
  readonly provenance: string;
  /** Scenarios that it breaks. */
  readonly shownBy: readonly string[];
}

async function patches(ids: readonly string[], { json }: { json?: true }): Promise<ExitCode> {
  const all = await listed();
  const { suggestion } = await import('../../../server/lab/scenario/nearest-word.ts');
  const known = all.map(({ id }) => id);
  for (const id of ids) {
    if (known.includes(id)) continue;
    throw new UsageError(
      `there is no patch "${id}"${suggestion(id, known)}; mmrace patches lists them`,
    );
  }
  const chosen = ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
  if (json === true) {
    print(JSON.stringify({ patches: chosen }));
    return EXIT.OK;
  }
  const { paragraph } = await import('../paragraph.ts');
  const texts = chosen.map(({ id, summary, provenance, shownBy }) => {
    const shown = shownBy.length === 0 ? 'no scenario that ships' : shownBy.join(', ');
    const lines = [summary, `From: ${provenance}`, `Shown by: ${shown}`];
    return [id, ...lines.map((line) => paragraph(line, '  '))].join('\n');
  });
  print(texts.join('\n\n'));
  return EXIT.OK;
}

async function listed(): Promise<readonly Listed[]> {
  const { PATCHES, STOCK_NAME } = await import('../../../server/patches/patches.ts');
  const { shippedScenario, shippedScenarioNames } = await import(
    '../../../server/lab/scenario/shipped-scenarios.ts'
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
  return [...PATCHES.values()].map(({ id, summary, provenance }) => ({
    id,
    summary,
    provenance,
    shownBy: shownBy.get(id) ?? [],
  }));
}
