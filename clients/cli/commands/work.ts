import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { campaignModel } from '../../../server/campaign/campaign-model.ts';
import { LEASE_MS, startWorker } from '../../../server/campaign/worker.ts';
import { redisAddress, unavailable } from '../campaign/campaign-redis.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { wholeNumber } from '../whole-number.ts';

interface WorkOptions {
  readonly redis?: string;
  readonly threads: number;
  readonly allowCode?: true;
  readonly leaseMs: number;
  readonly jsonl?: true;
}

export function addWorkCommand(program: Command): void {
  program
    .command('work')
    .description('answer units of campaigns: any number of these, on any number of machines')
    .option('--redis <url>', 'where campaigns are (default: MMRACE_REDIS)')
    .addOption(
      new Option('--threads <number>', 'units at once')
        .argParser(wholeNumber(1, 256))
        .default(availableParallelism(), 'one for each core'),
    )
    .option(
      '--allow-code',
      'take campaigns that bring patches or drivers of users along, and run these',
    )
    .option(
      '--lease-ms <ms>',
      'after so long without a sign of life others take what it had',
      wholeNumber(100, 600_000),
      LEASE_MS,
    )
    .option('--jsonl', 'print what it has to say as JSON objects, a line each')
    .addHelpText(
      'after',
      `
It works until Ctrl-C or SIGTERM, after which it has two seconds for what it is at; the rest others take.
A campaign of another model (another mmrace) is refused, and that is said. Code of users has what this
process has: files, network. Run it with --allow-code as a user or in a container that may lose nothing.

Examples:
  mmrace work --redis redis://build1:6379
  mmrace work --redis redis://build1:6379 --threads 8 --allow-code`,
    )
    .action(ending(work));
}

async function work({ redis, threads, allowCode, leaseMs, jsonl }: WorkOptions): Promise<ExitCode> {
  const { url, prefix } = await redisAddress(redis);
  const model = campaignModel();
  const code = allowCode === true ? 'allowed' : 'not allowed';
  const ended = untilSignal();
  const tell = (text: string) => {
    if (jsonl === true) print(JSON.stringify({ type: 'note', text }));
    else say(`mmrace work: ${text}`);
  };
  const options = { url, prefix, model, threads, code, leaseMs, say: tell } as const;
  const worker = await startWorker(options).catch((error: unknown) => {
    throw unavailable(url, error);
  });
  tell(`model ${model.slice(0, 8)}, ${threads} threads, code of users ${code}`);
  await ended;
  await worker.close();
  return EXIT.OK;
}
