import type { Command } from 'commander';
import { addFormOptions, type FormOptions, printAnswer } from '../answer-form.ts';
import { ending } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { urlOption } from '../lab-options.ts';

interface DoctorOptions extends FormOptions {
  readonly url: string;
}

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('is everything there? Each line ok or not ok, with what to do')
    .addOption(urlOption())
    .addHelpText('after', EXAMPLES);
  addFormOptions(command, 'check').action(
    ending((options: DoctorOptions) => {
      const source = command.getOptionValueSource('url');
      return doctor(options, source === 'default' ? 'default' : 'asked');
    }),
  );
}

const EXAMPLES = `
Examples:
  mmrace doctor
  mmrace doctor --url ws://lab.example:7070/ws
  mmrace doctor --json

Exit 0 if nothing is wrong, 1 otherwise. A line that says skipped has nothing to check.`;

async function doctor(
  { url, ...form }: DoctorOptions,
  asked: 'asked' | 'default',
): Promise<ExitCode> {
  const { environmentWithFile } = await import('../config/config-file.ts');
  const { checkLines } = await import('../doctor/check.ts');
  const local = await import('../doctor/local-checks.ts');
  const { checkReach, checkServer } = await import('../doctor/server-checks.ts');
  const { ownModelHash } = await import('../doctor/own-model.ts');
  const folder = process.cwd();
  const config = await local.checkConfig(folder);
  const environment =
    config.outcome === 'not ok' ? process.env : await environmentWithFile(process.env, folder);
  const checks = [
    local.checkNode(process.versions.node),
    local.checkPackage(local.packageFolder()),
    local.checkPage(local.packageFolder()),
    config,
    ...(await checkServer(environment)),
    await checkReach(url, asked, ownModelHash),
    local.checkBrowser(process.env),
    local.checkGuests(),
    local.checkFolders(folder, process.env),
  ];
  const well = checks.every(({ outcome }) => outcome !== 'not ok');
  printAnswer(form, {
    whole: { well, checks },
    parts: checks,
    text: () => checks.map(checkLines).join('\n'),
  });
  return well ? EXIT.OK : EXIT.BROKEN;
}
