import { type Command, Option } from 'commander';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print the script that teaches a shell the commands')
    .addArgument(program.createArgument('<shell>', 'the shell').choices(SHELLS))
    .addOption(new Option('--json', 'print the tree of commands as one JSON object instead'))
    .addHelpText('after', EXAMPLES)
    .action(ending((shell: string, { json }: { json?: true }) => completion(program, shell, json)));
}

const EXAMPLES = `
Examples:
  mmrace completion bash > ~/.local/share/bash-completion/completions/mmrace
  mmrace completion zsh > "\${fpath[1]}/_mmrace"
  mmrace completion fish > ~/.config/fish/completions/mmrace.fish
  source <(mmrace completion bash)            for this shell alone

A shell completes what its line begins with, so "npx mmrace" is completed as npx is. In a checkout
  alias mmrace='npx mmrace'
makes "mmrace" run the checkout, and the script completes it.`;

const SCENARIO_ARGUMENTS = [
  'explore scenario',
  'certify scenario',
  'verdict scenarios',
  'test files',
  'scenarios names',
] as const;

async function completion(program: Command, shell: string, json?: true): Promise<ExitCode> {
  const { commandTree } = await import('../completion/command-tree.ts');
  const { COMPLETION_SCRIPTS } = await import('../completion/scripts.ts');
  const { shippedScenarioNames } = await import('../../../server/scenario/shipped-scenarios.ts');
  const { STOCK_NAME } = await import('../../../server/patches/joint-name.ts');
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  const { DRIVERS } = await import('../../drivers/catalogue/drivers.ts');
  const patches = [STOCK_NAME, ...PATCHES.keys()];
  const known = new Map<string, readonly string[]>([
    ['--patch', patches],
    ['--before', patches],
    ['--after', patches],
    ['--driver', [...DRIVERS.keys()]],
    ['patches names', patches],
    ...SCENARIO_ARGUMENTS.map((argument) => [argument, shippedScenarioNames()] as const),
  ]);
  const tree = commandTree(program, known);
  if (json === true) {
    print(JSON.stringify({ commands: tree }));
    return EXIT.OK;
  }
  const chosen = SHELLS.find((one) => one === shell);
  if (chosen === undefined) throw new UsageError(`there is no script for ${shell}`);
  print(COMPLETION_SCRIPTS[chosen](tree));
  return EXIT.OK;
}
