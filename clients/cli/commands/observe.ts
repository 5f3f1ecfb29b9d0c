import { type Command, InvalidArgumentError, Option } from 'commander';
import { PAGE_SIZE } from '../../../server/vocabulary/address.ts';
import { suggestion } from '../../../server/vocabulary/nearest-word.ts';
import type { ClosedWhy } from '../../sdk/connection-state.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { codeOption, labOption, tokenOption, urlOption } from '../lab-options.ts';
import type { StreamFormat, WatchedLab, WatchOptions } from '../observe/watch-lab.ts';
import { wholeNumber } from '../whole-number.ts';

/** Milliseconds between two looks for a lab that is lost; doubled after each, up to the second number. */
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 4_000;
const FORMATS: readonly StreamFormat[] = ['text', 'jsonl', 'ftrace'];

interface ObserveOptions {
  readonly url: string;
  readonly lab: string;
  readonly code?: string;
  readonly token?: string;
  readonly name: string;
  readonly format: StreamFormat;
  readonly jsonl?: true;
  readonly actor?: readonly string[];
  readonly kind?: readonly string[];
  readonly page?: readonly number[];
  readonly function?: readonly string[];
  readonly since?: number;
}

export function addObserveCommand(program: Command): void {
  program
    .command('observe')
    .description('watch a lab: one line for each event as it happens')
    .addOption(urlOption())
    .addOption(labOption('the lab to watch: its name or its join code'))
    .addOption(codeOption())
    .addOption(tokenOption())
    .addOption(
      new Option('--name <name>', 'what to be called').default(
        `observer-${process.pid}`,
        'observer-PID',
      ),
    )
    .option('--actor <name>', 'only what this actor does or what is done to it', appended)
    .option('--kind <kind>', 'only events of this kind, such as pte or violation', appended)
    .option('--page <address>', 'only what touches the page at this address', appendedPage)
    .option('--function <name>', 'only calls of this kernel function', appended)
    .option('--since <n>', 'begin behind event n, if the server still has it', wholeNumber(0, 1e15))
    .addOption(
      new Option('--format <format>', 'how an event is written').choices(FORMATS).default('text'),
    )
    .option('--jsonl', 'the same as --format jsonl')
    .addHelpText('after', EXAMPLES)
    .action(ending(observe));
}

const EXAMPLES = `
Examples:
  mmrace observe --lab demo
  mmrace observe --actor gpu0 --kind mirror --kind violation
  mmrace observe --page 0x10000 --since 0
  mmrace observe --function migrate_vma_pages --format jsonl
  mmrace observe --format ftrace > trace.txt

Filters of one kind are alternatives, of two kinds both have to fit. --actor, --kind, --page and
--function can be given again. A violation is marked !!! in the margin.`;

async function observe(options: ObserveOptions): Promise<ExitCode> {
  const { labOnServer } = await import('../reach-server.ts');
  const { FILTERED_KINDS } = await import('../observe/event-filter.ts');
  const { TRACED_FUNCTIONS } = await import('../../../server/abi/traced-functions.ts');
  const functions = (options.function ?? []).map((word) =>
    knownWord('--function', 'kernel function in events', word, TRACED_FUNCTIONS),
  );
  const kinds = (options.kind ?? []).map((kind) =>
    knownWord('--kind', 'kind of event', kind, FILTERED_KINDS),
  );
  const { url, name, code, token, actor = [], page = [] } = options;
  const said = code === undefined ? 'name-or-code' : 'code';
  const { door: lab } = await labOnServer({
    url,
    token,
    lab: code ?? options.lab,
    said,
    unknown: 'refused',
  });
  // The reader has gone away: nothing is left to do.
  process.stdout.once('error', () => process.exit(EXIT.OK));
  const watch: WatchOptions = {
    url,
    lab,
    name,
    format: options.jsonl === true ? 'jsonl' : options.format,
    filter: { actors: actor, kinds, pages: page, functions },
    since: options.since ?? 'now',
    colour: process.stdout.isTTY && process.stdout.hasColors() ? 'colour' : 'plain',
    print,
    say,
  };
  const signal = untilSignal();
  return await watchWhileThere(watch, signal);
}

/** A lab that is lost is looked for again: what happened meanwhile is shown, if the server still has it. */
async function watchWhileThere(
  options: WatchOptions,
  signal: Promise<'SIGINT' | 'SIGTERM'>,
): Promise<ExitCode> {
  const { watchLab } = await import('../observe/watch-lab.ts');
  const { endedExit, endedSentence } = await import('../ended-session.ts');
  let watched = await watchLab(options);
  for (;;) {
    const ended = await Promise.race([watched.closed, signal]);
    if (typeof ended === 'string') {
      watched.close();
      return EXIT.OK;
    }
    if (ended.why !== 'lost' || watched.forGood()) {
      say(`mmrace: ${endedSentence(ended, options.url)}`);
      return endedExit(ended);
    }
    say(`the connection to ${options.url} is lost; trying to come back`);
    const since = watched.last();
    const again = await cameBack(() => watchLab({ ...options, since }), signal);
    if (again === 'signalled') return EXIT.OK;
    if ('why' in again) {
      say(`mmrace: ${endedSentence(again, options.url)}`);
      return endedExit(again);
    }
    watched = again;
  }
}

async function cameBack(
  watch: () => Promise<WatchedLab>,
  signal: Promise<unknown>,
): Promise<WatchedLab | ClosedWhy | 'signalled'> {
  const { SessionClosed } = await import('../../sdk/connection.ts');
  const { passesByItself } = await import('../../sdk/connection-state.ts');
  const ended = signal.then(() => 'signalled' as const);
  for (let ms = RETRY_FIRST_MS; ; ms = Math.min(RETRY_LAST_MS, 2 * ms)) {
    const pause = new Promise<'tried'>((resolve) => setTimeout(resolve, ms, 'tried'));
    if ((await Promise.race([pause, ended])) === 'signalled') return 'signalled';
    try {
      return await watch();
    } catch (error) {
      if (!(error instanceof UsageError && error.cause instanceof SessionClosed)) throw error;
      const { closed } = error.cause;
      if (closed.why === 'refused' && !passesByItself(closed.refusal.code)) return closed;
    }
  }
}

function knownWord<Word extends string>(
  flag: string,
  what: string,
  word: string,
  known: readonly Word[],
): Word {
  const found = known.find((one) => one === word);
  if (found !== undefined) return found;
  const hint = suggestion(word, known);
  throw new UsageError(`${flag} ${word}: there is no such ${what}${hint}: ${known.join(', ')}`);
}

function appended(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

function appendedPage(text: string, before: readonly number[] = []): readonly number[] {
  if (!/^0x[0-9a-f]{1,12}$/i.test(text)) {
    throw new InvalidArgumentError('Expected an address such as 0x10000.');
  }
  return [...before, Math.floor(Number(text) / PAGE_SIZE)];
}
