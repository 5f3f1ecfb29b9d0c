import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Event } from '../../../server/abi/event.ts';
import { FORMAT_NAMES, type FormatName } from '../../../server/report/format-names.ts';
import { FORMATS } from '../../../server/report/formats.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readRecorded } from '../explore/read-recorded.ts';
import { executeAgain, reportOfAgain } from '../explore/replay-counterexample.ts';
import { writeText } from '../explore/saved-counterexample.ts';
import { UsageError } from '../failure.ts';
import { exitOfLab, replayLab, reportOfLab, sentenceOfLab } from '../replay-lab.ts';

interface ReportCommandOptions {
  readonly format: FormatName;
  readonly out?: string;
}

export function addReportCommand(program: Command): void {
  const formats = FORMAT_NAMES.map((name) => `  ${name.padEnd(10)} ${FORMATS[name].summary}`);
  program
    .command('report')
    .description('print a counterexample or a recorded lab in another format')
    .argument('<what>', 'a token (mmr1.…), a file of explore --save, or the recording of a lab')
    .addOption(
      new Option('--format <name>', 'the form').choices(FORMAT_NAMES).makeOptionMandatory(),
    )
    .option('--out <file>', 'write it into a file instead of to stdout')
    .addHelpText(
      'after',
      `
Formats:
${formats.join('\n')}

It is executed again, and the report made of what happens then. Exit codes: 0 the report was made,
64 it is of another model (the first step that differs is named), or no such thing.

Examples:
  mmrace report mmr1.… --format diagram
  mmrace report found.json --format html --out found.html
  mmrace report recorded/demo.jsonl --format perfetto --out demo.json`,
    )
    .action(ending(report));
}

async function report(what: string, options: ReportCommandOptions): Promise<ExitCode> {
  const { format, out } = options;
  if (out !== undefined && isSameFile(what, out))
    throw new UsageError(`--out: ${out} is what the report is made of; write it into another file`);
  const text = await textOf(what, format);
  if (out === undefined) print(text);
  else {
    writeText(out, text.endsWith('\n') ? text : `${text}\n`);
    say(`${out}: ${FORMATS[format].summary}`);
  }
  return EXIT.OK;
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [first, second] = [statSync(one), statSync(other)];
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    // A token, or a file that is not there.
    return false;
  }
}

async function textOf(what: string, format: FormatName): Promise<string> {
  const recorded = readRecorded(what);
  if (recorded.kind === 'counterexample') {
    return reportOfAgain(await executeAgain(recorded), format);
  }
  const events: Event[] = [];
  const again = replayLab(recorded, (event) => events.push(event));
  if (exitOfLab(again) !== EXIT.OK) throw new UsageError(sentenceOfLab(recorded, again));
  return reportOfLab(recorded, again, events, format);
}
