import type { Command } from 'commander';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import { addFormOptions, type FormOptions, printAnswer } from '../answer-form.ts';
import { ending } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';

export function addScenariosCommand(program: Command): void {
  const command = program
    .command('scenarios')
    .description('the scenarios that ship, or those of files: names, titles, expected verdicts')
    .argument('[names...]', 'names of those that ship, or files')
    .addHelpText('after', EXAMPLES);
  addFormOptions(command, 'scenario').action(ending(scenarios));
}

const EXAMPLES = `
Examples:
  mmrace scenarios
  mmrace scenarios seed-zero-page
  mmrace scenarios ./mine.yaml --json
  mmrace test scenarios/                      whether the expected verdicts are true`;

async function scenarios(names: readonly string[], options: FormOptions): Promise<ExitCode> {
  const { shippedScenarioNames } = await import('../../../server/scenario/shipped-scenarios.ts');
  const shipped = shippedScenarioNames();
  const chosen = await Promise.all(
    (names.length === 0 ? shipped : names).map((name) => scenarioOf(name, shipped)),
  );
  const listed = chosen.map(({ name, title, provenance, museum, story, affects, expect }) => ({
    name,
    title,
    provenance,
    ...(museum === undefined ? {} : { museum }),
    ...(story === undefined ? {} : { story }),
    ...(affects === undefined ? {} : { affects }),
    expect: { patches: expect.patches ?? {}, drivers: expect.drivers ?? {} },
  }));
  const { paragraph } = await import('../paragraph.ts');
  const whole = names.length > 0;
  const texts = listed.map(({ name, title, provenance, museum, story, affects, expect }) => {
    const lines = [
      paragraph(title, '  '),
      ...(museum === undefined ? [] : [`  Race ${museum} of the museum`]),
      ...(whole && story !== undefined ? [paragraph(story, '  ')] : []),
      ...(whole && affects !== undefined ? [paragraph(`Kernels: ${affects}`, '  ')] : []),
      ...(whole ? [paragraph(`From: ${provenance}`, '  ')] : []),
      ...Object.entries(expect.patches).map((pair) => verdictLine('kernel', pair)),
      ...Object.entries(expect.drivers).map((pair) => verdictLine('driver', pair)),
    ];
    return [name, ...lines].join('\n');
  });
  printAnswer(options, {
    whole: { scenarios: listed },
    parts: listed,
    text: () => texts.join('\n\n'),
  });
  return EXIT.OK;
}

function verdictLine(what: 'kernel' | 'driver', [name, verdict]: [string, string]): string {
  return `    ${verdict.padEnd(8)} ${what} ${name}`;
}

async function scenarioOf(name: string, shipped: readonly string[]): Promise<Scenario> {
  const { shippedScenario } = await import('../../../server/scenario/shipped-scenarios.ts');
  const { suggestion } = await import('../../../server/vocabulary/nearest-word.ts');
  const found = shippedScenario(name);
  if (found !== 'none') return found;
  if (/[/\\]|\.ya?ml$/.test(name)) {
    const { scenarioFrom } = await import('../scenario-choice.ts');
    return scenarioFrom(name);
  }
  throw new UsageError(
    `there is no scenario "${name}"${suggestion(name, shipped)}; mmrace scenarios lists them`,
  );
}
