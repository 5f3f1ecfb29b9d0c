/**
 * The whole command line as one tree of commands. Each command is a file of its own that exports a function which adds
 * it to the program.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addClientCommands } from './commands/client.ts';
import { addConformanceCommand } from './commands/conformance.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addExploreCommand } from './commands/explore.ts';
import { addFuzzCommand } from './commands/fuzz.ts';
import { addObserveCommand } from './commands/observe.ts';
import { addPlayCommand } from './commands/play.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addReportCommand } from './commands/report.ts';
import { addServeCommand } from './commands/serve.ts';
import { addTestCommand } from './commands/test.ts';
import { addVerdictCommand } from './commands/verdict.ts';

export function newProgram(): Command {
  const program = new Command('mmrace')
    .description('A laboratory for races in Linux memory management.')
    .version(version())
    .exitOverride()
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
  addTestCommand(program);
  addVerdictCommand(program);
  return program;
}

/** package.json stands two folders above the sources and three above the built files. */
function version(): string {
  const manifest = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return manifest === undefined ? 'unknown' : JSON.parse(readFileSync(manifest, 'utf8')).version;
}
