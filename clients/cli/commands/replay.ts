import type { Command } from 'commander';
import { Option } from 'commander';
import type { Event } from '../../../server/abi/event.ts';
import { describeEvent } from '../../../server/report/describe-event.ts';
import { FORMAT_NAMES, type FormatName } from '../../../server/report/format-names.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type RecordedLab, readRecorded } from '../explore/read-recorded.ts';
import {
  executeAgain,
  exitOfAgain,
  plainAgain,
  reportOfAgain,
  textOfAgain,
} from '../explore/replay-counterexample.ts';
import { exitOfLab, plainLab, replayLab, reportOfLab, sentenceOfLab } from '../replay-lab.ts';

interface ReplayCommandOptions {
  readonly events?: true;
  readonly json?: true;
  readonly format?: FormatName;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('execute counterexamples or recorded labs again, and compare what comes of them')
    .argument('<what...>', 'tokens (mmr1.…), files of explore --save, or recordings of labs')
    .addOption(new Option('--events', 'print every event on the way').conflicts('format'))
    .addOption(new Option('--json', 'print one JSON object for each').conflicts('format'))
    .addOption(new Option('--format <name>', 'print a report instead').choices(FORMAT_NAMES))
    .addHelpText(
      'after',
      `
Exit codes: of a counterexample 1 if it fails again as promised, 2 if every step is the same but
nothing fails; of a recording 0 if the same events and the same state come of it, 1 if not;
64 if it is of another model (the first step that differs is named), or no such thing.

Examples:
  mmrace replay mmr1.…
  mmrace replay found.json --format html > found.html
  mmrace replay recorded/demo-*.jsonl`,
    )
    .action(ending(replayAll));
}

/** The exit code is that of the first one that is not 0. */
async function replayAll(
  words: readonly string[],
  options: ReplayCommandOptions,
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.OK;
  for (const word of words) {
    const one = await replayOne(word, options);
    if (exit === EXIT.OK) exit = one;
  }
  return exit;
}

async function replayOne(word: string, options: ReplayCommandOptions): Promise<ExitCode> {
  const recorded = readRecorded(word);
  if (recorded.kind === 'lab') return replayOneLab(recorded, options);
  const again = await executeAgain(recorded);
  if (options.events === true) for (const event of again.ran.events) print(describeEvent(event));
  if (options.format !== undefined) print(reportOfAgain(again, options.format));
  else print(options.json === true ? JSON.stringify(plainAgain(again)) : textOfAgain(again));
  return exitOfAgain(again);
}

function replayOneLab(lab: RecordedLab, { events, json, format }: ReplayCommandOptions): ExitCode {
  const kept: Event[] = [];
  const again = replayLab(lab, (event) => {
    if (events === true) print(describeEvent(event));
    if (format !== undefined) kept.push(event);
  });
  if (format !== undefined) print(reportOfLab(lab, again, kept, format));
  else print(json === true ? JSON.stringify(plainLab(lab, again)) : sentenceOfLab(lab, again));
  return exitOfLab(again);
}
