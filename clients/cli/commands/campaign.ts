import { Argument, type Command, Option } from 'commander';
import type { CampaignLook } from '../../../server/campaign/campaigns.ts';
import { STOCK_NAME } from '../../../server/patches/joint-name.ts';
import type { Strategy } from '../../../server/verify/explore/explore-options.ts';
import type { Shape, ShapeSize } from '../../../server/verify/shapes/shapes.ts';
import { type OpenCampaigns, openCampaigns } from '../campaign/campaign-redis.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { DEFAULT_DEPTH, DEFAULT_SEED } from '../explore/search-settings.ts';
import { UsageError } from '../failure.ts';
import { kernelOption } from '../kernel-option.ts';
import { wholeNumber } from '../whole-number.ts';
import { shapesAbout, sizesIn } from './shapes.ts';

const ACTIONS = ['run', 'watch', 'show', 'cancel', 'list'] as const;
type Action = (typeof ACTIONS)[number];
const STRATEGIES: readonly Strategy[] = ['dpor', 'dfs', 'random', 'pct', 'urw'];
/** Executions of the search of one shape, as mmrace shapes has them. */
const SHAPE_EXECUTIONS = 300;

interface CampaignCommandOptions {
  readonly redis?: string;
  readonly kernel?: string;
  readonly patch: readonly string[];
  readonly driver: readonly string[];
  readonly strategy: readonly Strategy[];
  readonly devices?: number;
  readonly migrators?: number;
  readonly budgetExecutions?: number;
  readonly seed: number;
  readonly depth: number;
  readonly preemptions?: number;
  readonly sizes: readonly ShapeSize[];
  readonly only: readonly string[];
  readonly every: number;
  readonly shapeExecutions: number;
  readonly detach?: true;
  readonly allowCode?: true;
  readonly json?: true;
}

export function addCampaignCommand(program: Command): void {
  program
    .command('campaign')
    .description('ask many workers at once, over Redis: run, watch, show, cancel, list')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .argument(
      '[words...]',
      'run: scenarios, files (*.yaml), or "shapes"; else: the id of a campaign',
    )
    .option('--redis <url>', 'where campaigns are (default: MMRACE_REDIS)')
    .addOption(kernelOption())
    .option(
      '--patch <name>',
      "each question with this one: 'stock', a patch, a file, or several as 'a + b'; once for each to ask with",
      collect,
      [],
    )
    .option(
      '--driver <choice>',
      'likewise: a driver for all devices, or dev0=a,dev1=b; once for each to ask with',
      collect,
      [],
    )
    .addOption(
      new Option('--strategy <name>', 'likewise: how to search (default: dpor)')
        .choices(STRATEGIES)
        .argParser(strategyIn)
        .default([]),
    )
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .option(
      '--budget-executions <number>',
      'of each search (default: what the scenario says, else 1000000)',
      wholeNumber(1, 1e12),
    )
    .option(
      '--seed <number>',
      'for the random strategies',
      wholeNumber(0, 2 ** 31 - 1),
      DEFAULT_SEED,
    )
    .option(
      '--depth <number>',
      'pct: ordering constraints of the bug',
      wholeNumber(1, 16),
      DEFAULT_DEPTH,
    )
    .option(
      '--preemptions <number>',
      'switches away from a task that could go on',
      wholeNumber(0, 64),
    )
    .option('--sizes <list>', 'shapes: operations, 1, 2, 3 or several, as 1,2', sizesIn, [1, 2])
    .option(
      '--only <word>',
      'shapes: with this memory or operation; several: with all',
      collect,
      [],
    )
    .option('--every <number>', 'shapes: only each so-manieth', wholeNumber(1, 1e6), 1)
    .option(
      '--shape-executions <number>',
      'shapes: of the search of each',
      wholeNumber(1, 1e9),
      SHAPE_EXECUTIONS,
    )
    .option('--detach', 'run: print the id of the campaign, and do not wait')
    .option(
      '--allow-code',
      'watch, show: run code that the campaign brings along, to show what it did',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(ending(run));
}

const EXAMPLES = `
run puts units of work into Redis, and waits for npx mmrace work, on any number of machines, to answer
them. Ctrl-C ends the waiting, not the campaign: watch goes on, from any machine. What was answered once,
with the same model, scenario, patch and drivers, is not asked again. A search ends by its executions: the
answer must not hang on how fast a machine is.

Exit codes: as explore and shapes have them, the worst of all questions: 0 all hold, 1 something is broken,
2 something is unknown; 64 the question is wrong, 69 no Redis, or a full one, 130 interrupted.

Examples:
  mmrace campaign run seed-zero-page own-refault --patch stock --patch ./mine.ts --redis redis://build1
  mmrace campaign run shapes --sizes 3 --every 10 --patch ./mine.ts
  mmrace campaign run seed-zero-page --strategy pct --strategy random --budget-executions 1000000
  mmrace campaign list
  mmrace campaign watch c0a1b2c3
  mmrace campaign show c0a1b2c3 --json
  mmrace work --redis redis://build1 --threads 8`;

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

function strategyIn(value: string, earlier: readonly Strategy[]): readonly Strategy[] {
  const strategy = STRATEGIES.find((one) => one === value);
  if (strategy === undefined)
    throw new UsageError(`--strategy ${value}: there are ${STRATEGIES.join(', ')}`);
  return [...earlier, strategy];
}

async function run(
  action: Action,
  words: readonly string[],
  options: CampaignCommandOptions,
): Promise<ExitCode> {
  const open = await openCampaigns(options.redis);
  try {
    if (action === 'run') return await begin(words, options, open);
    if (action === 'list') return await list(options, open);
    const [id, ...more] = words;
    if (id === undefined || more.length > 0)
      throw new UsageError(`campaign ${action}: expected one id`);
    if (action === 'cancel') return await cancel(id, open);
    const code = options.allowCode === true ? 'allowed' : 'not allowed';
    return action === 'watch'
      ? await watch(id, options, open, code)
      : await show(id, options, open, code);
  } finally {
    await open.close();
  }
}

type Code = 'allowed' | 'not allowed';

async function begin(
  words: readonly string[],
  options: CampaignCommandOptions,
  open: OpenCampaigns,
): Promise<ExitCode> {
  if (words.length === 0) throw new UsageError('campaign run: expected scenarios, or shapes');
  // Most of the program, which the other actions do without.
  const { askedCampaign } = await import('../campaign/asked-campaign.ts');
  const { beginCampaign } = await import('../campaign/begin-campaign.ts');
  const { spec, cores } = await askedCampaign({
    ...options,
    words,
    patches: options.patch.length === 0 ? [STOCK_NAME] : options.patch,
    drivers: options.driver.length === 0 ? [[]] : options.driver.map((one) => one.split(',')),
    strategies: options.strategy.length === 0 ? ['dpor'] : options.strategy,
    shapes: () => chosenShapes(options),
  });
  const id = await beginCampaign(open, spec, cores);
  say(`mmrace: campaign ${id}: npx mmrace campaign watch ${id} goes on with it`);
  if (options.detach === true) {
    print(id);
    return EXIT.OK;
  }
  // The code is the user's own, and stands here.
  return await watch(id, options, open, 'allowed');
}

function chosenShapes(options: CampaignCommandOptions): readonly Shape[] {
  return shapesAbout({ ...options, part: { number: 1, of: 1 } });
}

async function watch(
  id: string,
  options: CampaignCommandOptions,
  open: OpenCampaigns,
  code: Code,
): Promise<ExitCode> {
  const { watchCampaign } = await import('../campaign/watch-campaign.ts');
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    const { ended } = await watchCampaign(id, open, interruption.signal);
    if (ended === 'interrupted') {
      say(`mmrace: interrupted; the campaign goes on: npx mmrace campaign watch ${id}`);
      return EXIT.INTERRUPTED;
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
  return await show(id, options, open, code);
}

async function show(
  id: string,
  options: CampaignCommandOptions,
  { campaigns, model }: OpenCampaigns,
  code: Code,
): Promise<ExitCode> {
  const { tellCampaign } = await import('../campaign/campaign-text.ts');
  const told = await tellCampaign(campaigns, { id, code, model });
  print(options.json === true ? JSON.stringify(told.plain) : told.text);
  return told.exitCode;
}

async function cancel(id: string, { campaigns }: OpenCampaigns): Promise<ExitCode> {
  print(`${id}: ${await campaigns.cancel(id)}`);
  return EXIT.OK;
}

async function list(
  { json }: CampaignCommandOptions,
  { campaigns }: OpenCampaigns,
): Promise<ExitCode> {
  const looks = await campaigns.list();
  const workers = await campaigns.workers();
  if (json === true) {
    const plain = looks.map(({ times: _, aside, ...look }) => ({
      ...look,
      aside: [...aside.keys()],
    }));
    print(JSON.stringify({ campaigns: plain, workers }));
    return EXIT.OK;
  }
  const lines = [
    ...looks.map(lineOf),
    ...workers.map(
      ({ host, pid, threads, busy, units, model }) =>
        `worker ${host}:${pid}  ${busy} of ${threads} threads busy, ${units} units, model ${model.slice(0, 8)}`,
    ),
  ];
  print(lines.length === 0 ? 'no campaign, no worker' : lines.join('\n'));
  return EXIT.OK;
}

function lineOf({ id, state, units, left, aside, by, began }: CampaignLook): string {
  const set = aside.size === 0 ? '' : `, ${aside.size} set aside`;
  return `${id}  ${state.padEnd(9)} ${units - left} of ${units} units${set}  ${by} ${began}`;
}
