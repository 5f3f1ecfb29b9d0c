/**
 * The whole command line as one tree of commands. Each command is a file of its own that exports a function which adds
 * it to the program.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addCertifyCommand } from './commands/certify.ts';
import { addClientCommands } from './commands/client.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addConformanceCommand } from './commands/conformance.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addExploreCommand } from './commands/explore.ts';
import { addFuzzCommand } from './commands/fuzz.ts';
import { addObserveCommand } from './commands/observe.ts';
import { addPatchesCommand } from './commands/patches.ts';
import { addPlayCommand } from './commands/play.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addReportCommand } from './commands/report.ts';
import { addScenariosCommand } from './commands/scenarios.ts';
import { addServeCommand } from './commands/serve.ts';
import { addTestCommand } from './commands/test.ts';
import { addVerdictCommand } from './commands/verdict.ts';

export function newProgram(): Command {
  const program = new Command('mmrace')
    .description('A laboratory for races in Linux memory management.')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'mmrace: ')) })
    .showHelpAfterError('(mmrace --help lists the commands)');
  addDemoCommand(program);
  addServeCommand(program);
  addClientCommands(program);
  addObserveCommand(program);
  addConformanceCommand(program);
  addFuzzCommand(program);
  addReplayCommand(program);
  addPlayCommand(program);
  addReportCommand(program);
  addExploreCommand(program);
  addCertifyCommand(program);
  addTestCommand(program);
  addVerdictCommand(program);
  addScenariosCommand(program);
  addPatchesCommand(program);
  addDoctorCommand(program);
  addConfigCommand(program);
  addCompletionCommand(program);
  for (const command of program.commands) {
    command.showHelpAfterError(`(mmrace ${command.name()} --help has its options and examples)`);
  }
  program.hook('preAction', async (_, command) => await withConfigFile(command));
  return program;
}

/** Only what joins a lab can be set by the folder's file here; servers read it with the environment. */
async function withConfigFile(command: Command): Promise<void> {
  if (command.options.every(({ envVar }) => envVar === undefined)) return;
  const { applyConfigFile } = await import('./config/apply-config-file.ts');
  await applyConfigFile(command, process.cwd());
}

/** package.json stands two folders above the sources and three above the built files. */
function version(): string {
  const manifest = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return manifest === undefined ? 'unknown' : JSON.parse(readFileSync(manifest, 'utf8')).version;
}
