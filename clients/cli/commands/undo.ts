import { type Command, Option } from 'commander';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { backAt, LabHand } from '../lab-hand.ts';
import { codeOption, labOption, tokenOption, urlOption } from '../lab-options.ts';
import { labOnServer } from '../reach-server.ts';
import { wholeNumber } from '../whole-number.ts';

interface UndoOptions {
  readonly url: string;
  readonly lab: string;
  readonly code?: string;
  readonly token?: string;
  readonly before?: number;
  readonly presenter?: string;
  readonly json?: true;
}

export function addUndoCommand(program: Command): void {
  program
    .command('undo')
    .description('take a live lab back: the last thing that was done in it, or all since an event')
    .addOption(urlOption())
    .addOption(labOption('the lab: its name or its join code'))
    .addOption(codeOption())
    .addOption(tokenOption())
    .option(
      '--before <event>',
      'to the newest moment before this event in which everybody stood still',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .addOption(
      new Option(
        '--presenter <token>',
        'of a lab that is locked: what stands behind #presenter= in the address of its console',
      ).env('MMRACE_PRESENTER'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Another machine does again what this one did until then, and every client is what it was; what
is done from there on is a branch. The events of a lab are numbered: mmrace observe --since 0.
To see every order of what came next instead of one, mmrace explore --from.

Exit codes: 64 nothing can be taken back (the reason is told), or the lab cannot be used.

Examples:
  mmrace undo                                 the last thing that was done in the lab demo
  mmrace undo --lab race --before 37          before event 37`,
    )
    .action(ending(undo));
}

async function undo(options: UndoOptions): Promise<ExitCode> {
  const { url, code, lab, token, before, presenter, json } = options;
  const { name, door } = await labOnServer({
    url,
    lab: code ?? lab,
    said: code === undefined ? 'name-or-code' : 'code',
    unknown: 'refused',
    token,
  });
  const { events } = await new LabHand(url, door, presenter).control({
    action: 'undo',
    ...(before === undefined ? {} : { before }),
  });
  print(json === true ? JSON.stringify({ lab: name, events }) : backAt(name, events));
  return EXIT.OK;
}
