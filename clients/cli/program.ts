/**
 * The whole command line as one tree of commands. Each command is a file of its own that exports a function which adds
 * it to the program.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';

interface CommandFile {
  readonly words: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}

/** In the order in which they are listed. Loading one takes time, and only one is run. */
const COMMANDS: readonly CommandFile[] = [
  {
    words: ['demo'],
    load: async () => (await import('./commands/demo.ts')).addDemoCommand,
  },
  {
    words: ['serve'],
    load: async () => (await import('./commands/serve.ts')).addServeCommand,
  },
  {
    words: ['device', 'cpu'],
    load: async () => (await import('./commands/client.ts')).addClientCommands,
  },
  {
    words: ['observe'],
    load: async () => (await import('./commands/observe.ts')).addObserveCommand,
  },
  {
    words: ['undo'],
    load: async () => (await import('./commands/undo.ts')).addUndoCommand,
  },
  {
    words: ['conformance'],
    load: async () => (await import('./commands/conformance.ts')).addConformanceCommand,
  },
  {
    words: ['fuzz'],
    load: async () => (await import('./commands/fuzz.ts')).addFuzzCommand,
  },
  {
    words: ['replay'],
    load: async () => (await import('./commands/replay.ts')).addReplayCommand,
  },
  {
    words: ['play'],
    load: async () => (await import('./commands/play.ts')).addPlayCommand,
  },
  {
    words: ['report'],
    load: async () => (await import('./commands/report.ts')).addReportCommand,
  },
  {
    words: ['explore'],
    load: async () => (await import('./commands/explore.ts')).addExploreCommand,
  },
  {
    words: ['confirm'],
    load: async () => (await import('./commands/confirm.ts')).addConfirmCommand,
  },
  {
    words: ['kernel'],
    load: async () => (await import('./commands/kernel.ts')).addKernelCommand,
  },
  {
    words: ['certify'],
    load: async () => (await import('./commands/certify.ts')).addCertifyCommand,
  },
  {
    words: ['coverage'],
    load: async () => (await import('./commands/coverage.ts')).addCoverageCommand,
  },
  {
    words: ['test'],
    load: async () => (await import('./commands/test.ts')).addTestCommand,
  },
  {
    words: ['verdict'],
    load: async () => (await import('./commands/verdict.ts')).addVerdictCommand,
  },
  {
    words: ['shapes'],
    load: async () => (await import('./commands/shapes.ts')).addShapesCommand,
  },
  {
    words: ['campaign'],
    load: async () => (await import('./commands/campaign.ts')).addCampaignCommand,
  },
  {
    words: ['work'],
    load: async () => (await import('./commands/work.ts')).addWorkCommand,
  },
  {
    words: ['scenarios'],
    load: async () => (await import('./commands/scenarios.ts')).addScenariosCommand,
  },
  {
    words: ['patches'],
    load: async () => (await import('./commands/patches.ts')).addPatchesCommand,
  },
  {
    words: ['doctor'],
    load: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  },
  {
    words: ['config'],
    load: async () => (await import('./commands/config.ts')).addConfigCommand,
  },
  {
    words: ['completion'],
    load: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
];

const EXAMPLES = `
Examples:
  mmrace demo                                 the race that it began with, live
  mmrace serve                                a server; the page is at the address that it prints
  mmrace device --lab demo --name gpu0        a device that you play by hand
  mmrace observe --lab demo                   everything that happens
  mmrace explore seed-zero-page --patch remove-second-invalidate
  mmrace doctor                               is everything there?

Answers go to stdout and talk to stderr. Exit 0: yes; 1: no, or a counterexample; 2: not known;
4: skipped; 64: usage; 69: an old Node; 70: a bug of ours, or a lost server; 74: not written; 130: interrupted.`;

/** What the first word asks of the program itself, whatever its commands are. */
const OF_NO_COMMAND = ['--version', '-V'];

/** The command that `word` names, or all of them. */
export async function newProgram(word = 'all'): Promise<Command> {
  const program = new Command('mmrace')
    .description('A laboratory for races in Linux memory management.')
    .version(version())
    // Else the --version of a command would be the program’s.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'mmrace: ')) })
    .showHelpAfterError('(mmrace --help lists the commands)')
    .addHelpText('after', EXAMPLES);
  for (const { load } of commandsFor(word)) {
    const add = await load();
    add(program);
  }
  for (const command of program.commands) {
    command.showHelpAfterError(`(mmrace ${command.name()} --help has its options and examples)`);
  }
  program.hook('preAction', async (_, command) => await withConfigFile(command));
  return program;
}

function commandsFor(word: string): readonly CommandFile[] {
  if (OF_NO_COMMAND.includes(word)) return [];
  const named = COMMANDS.filter(({ words }) => words.includes(word));
  return named.length > 0 && word !== 'completion' ? named : COMMANDS;
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
