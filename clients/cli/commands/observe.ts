import type { Command } from 'commander';
import { describeEvent } from '../../../server/lab/report/describe-event.ts';
import type { Event } from '../../../server/protocol/event.ts';
import { connect } from '../../sdk/connect.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import { closedSentence } from '../../sdk/connection-state.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { labOption, urlOption } from '../lab-options.ts';

interface ObserveOptions {
  readonly url: string;
  readonly lab: string;
  readonly name: string;
  readonly jsonl?: true;
}

export function addObserveCommand(program: Command): void {
  program
    .command('observe')
    .description('watch a lab: one line for each event as it happens')
    .addOption(urlOption())
    .addOption(labOption('the lab to watch'))
    .option('--name <name>', 'what to be called', `observer-${process.pid}`)
    .option('--jsonl', 'one JSON object a line')
    .action(ending(observe));
}

async function observe({ url, lab, name, jsonl }: ObserveOptions): Promise<ExitCode> {
  const line = jsonl === true ? (event: Event) => JSON.stringify(event) : describeEvent;
  const joining = connect({
    role: 'observer',
    url,
    lab,
    name,
    snapshot: ({ n, patch, actors }) => {
      const who = actors.map((actor) => actor.name).join(', ') || 'nobody';
      say(`lab ${lab} at event ${n}, kernel ${patch}, with ${who}`);
    },
    events: (events) => print(events.map(line).join('\n')),
  });
  const observer = await joining.catch((error: unknown) => {
    if (!(error instanceof SessionClosed)) throw error;
    throw new UsageError(`${url}: ${error.message}`, { cause: error });
  });
  const ended = await Promise.race([observer.connection.closed, untilSignal()]);
  observer.close();
  if (typeof ended === 'string') return EXIT.OK;
  say(closedSentence(ended));
  return EXIT.OK;
}
