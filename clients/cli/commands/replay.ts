import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { type Journal, JournalError, parseJournal } from '../../../server/journal/read-journal.ts';
import { type Replayed, replay } from '../../../server/journal/replay.ts';
import { describeEvent } from '../../../server/lab/report/describe-event.ts';
import { newLiveMachine } from '../../../server/live/new-live-machine.ts';
import { UnknownPatch } from '../../../server/machine/live-machine.ts';
import type { Event } from '../../../server/protocol/event.ts';
import { modelOf } from '../../../server/start-server.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';

interface ReplayCommandOptions {
  readonly events?: true;
  readonly json?: true;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('execute recorded labs again, without network, and compare what comes of them')
    .argument('<files...>', 'what mmrace demo or mmrace serve wrote with --record')
    .option('--events', 'print every event on the way')
    .option('--json', 'print one JSON object for each file')
    .action(ending(replayAll));
}

/** The exit code is that of the first file that is not identical. */
async function replayAll(
  files: readonly string[],
  options: ReplayCommandOptions,
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.OK;
  for (const file of files) {
    const one = await replayFile(file, options);
    if (exit === EXIT.OK) exit = one;
  }
  return exit;
}

async function replayFile(file: string, { events, json }: ReplayCommandOptions): Promise<ExitCode> {
  const journal = await readJournal(file);
  const replayed = replayHere(
    journal,
    events === true ? (event) => print(describeEvent(event)) : ignore,
  );
  if (replayed.outcome === 'other-model') {
    throw new UsageError(
      `${file}: recorded by another model (${replayed.expected}; this is ${replayed.actual}): ` +
        'check out the version that recorded it',
    );
  }
  print(json === true ? JSON.stringify(plain(file, replayed)) : sentence(file, replayed));
  return exitOf(replayed);
}

function replayHere(journal: Journal, onEvent: (event: Event) => void): Replayed {
  const server = fileURLToPath(new URL('../../../server', import.meta.url));
  try {
    return replay(journal, { newMachine: newLiveMachine, model: modelOf(server), onEvent });
  } catch (error) {
    if (error instanceof UnknownPatch) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

async function readJournal(file: string): Promise<Journal> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be read: ${why}`, { cause: error });
  }
  try {
    return parseJournal(text, file);
  } catch (error) {
    if (error instanceof JournalError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

type Answered = Exclude<Replayed, { readonly outcome: 'other-model' }>;

function sentence(file: string, replayed: Answered): string {
  switch (replayed.outcome) {
    case 'identical': {
      const { entries, events, digest, state, closed } = replayed;
      const end = closed === 'yes' ? 'as recorded' : 'the recording has no end';
      return (
        `${file}: identical: ${entries} entries, ${events} events (log ${digest}), ` +
        `final state ${state} (${end})`
      );
    }
    case 'diverged': {
      const { n, line, what, expected, actual } = replayed;
      return `${file}:${line}: diverged at entry ${n}: ${what}: recorded ${expected}, now ${actual}`;
    }
    case 'threw': {
      const { n, line, recorded } = replayed;
      const then = recorded === 'ended here' ? 'the recording ends there, too' : 'it went on then';
      return `${file}:${line}: the machine threw at entry ${n} (${then}): ${messageOf(replayed.error)}`;
    }
  }
}

/** A recording that ends in the same bug has been reproduced. */
function exitOf(replayed: Answered): ExitCode {
  switch (replayed.outcome) {
    case 'identical':
      return EXIT.OK;
    case 'diverged':
      return EXIT.BROKEN;
    case 'threw':
      return replayed.recorded === 'ended here' ? EXIT.OK : EXIT.BROKEN;
  }
}

function plain(file: string, replayed: Answered): object {
  if (replayed.outcome !== 'threw') return { file, ...replayed };
  return { file, ...replayed, error: messageOf(replayed.error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function ignore(): void {
  // Nobody asked for the events.
}
