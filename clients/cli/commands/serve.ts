import { type Command, Option } from 'commander';
import { DEFAULT_CONFIG, LOG_FORMS, type LogForm } from '../../../server/app/config.ts';
import { DEMO_LAB, startServer } from '../../../server/app/start-server.ts';
import { DURABILITY_MODES, type DurabilityMode } from '../../../server/journal/durability.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { readyPage } from '../page-of-server.ts';
import { presenterLine } from '../presenter-line.ts';
import { asUsageError, serverConfig } from '../server-config.ts';
import { wholeNumber } from '../whole-number.ts';

/** What is not given comes from MMRACE_* (server/app/config.ts), and then from the defaults. */
interface ServeOptions {
  readonly host?: string;
  readonly publicHost?: readonly string[];
  readonly port?: number;
  readonly leaseMs?: number;
  readonly record?: string;
  readonly patch: string;
  readonly log?: LogForm;
  readonly restore?: true;
  readonly durability?: DurabilityMode;
}

export function addServeCommand(program: Command): void {
  const { host, port, leaseMs, durability } = DEFAULT_CONFIG;
  program
    .command('serve')
    .description('start a server; it prints its address and serves until it is told to end')
    .option('--host <address>', `address to listen on (default: MMRACE_HOST or ${host})`)
    .option(
      '--public-host <name...>',
      'names, beside localhost and addresses, under which clients reach it (default: MMRACE_PUBLIC_HOST)',
    )
    .option(
      '--port <number>',
      `port, 0 for any (default: MMRACE_PORT or ${port})`,
      wholeNumber(0, 65_535),
    )
    .option(
      '--lease-ms <ms>',
      `how long a device may leave a question open (default: MMRACE_LEASE_MS or ${leaseMs})`,
      wholeNumber(1, 86_400_000),
    )
    .option(
      '--record <dir>',
      'write the inbound log of every lab into this folder (see mmrace replay)',
    )
    .option('--patch <name>', 'the kernel of the lab demo: stock, or a patch that ships', 'stock')
    .addOption(
      new Option(
        '--log <form>',
        'the form of its log: sentences, JSON lines, or as fits where it goes',
      )
        .choices(LOG_FORMS)
        .default(undefined, 'MMRACE_LOG_FORM or auto'),
    )
    .option(
      '--restore',
      'with --record: open the labs again that an earlier server kept there, as they were',
    )
    .addOption(
      new Option(
        '--durability <mode>',
        'with --record: when it is on the disk: when the system likes, within 50 ms, or before clients are answered ' +
          `(default: MMRACE_DURABILITY or ${durability})`,
      ).choices(DURABILITY_MODES),
    )
    .addHelpText('after', EXAMPLES)
    .action(ending(serve));
}

const EXAMPLES = `
Examples:
  mmrace serve
  mmrace serve --port 0                       any free port; the address is printed on stdout
  mmrace serve --patch remove-second-invalidate
  mmrace serve --host 0.0.0.0 --record runs   for a room, and kept for mmrace replay
  mmrace serve --record runs --restore        goes on with the labs of the server before

The page is at the address that it prints, the documents below it at /docs. It serves until Ctrl-C or
SIGTERM; clients are told, and a second signal ends it at once.`;

async function serve(options: ServeOptions): Promise<ExitCode> {
  const { record, restore, patch, log, publicHost, ...flags } = options;
  await checkPatch(patch);
  const restored = restore === true ? ('restored' as const) : undefined;
  const given = {
    ...flags,
    publicHosts: publicHost,
    recordTo: record,
    restore: restored,
    logForm: log,
  };
  const config = await serverConfig(given);
  await readyPage();
  const server = await startServer(config).catch((error: unknown) => {
    throw asUsageError(error);
  });
  const demo = server.labs.get(DEMO_LAB);
  // A lab that was restored has the kernel that it had.
  if (patch !== STOCK && demo !== 'none' && demo.begins === 'new') await demo.renew({ patch });
  print(server.url);
  say(
    `mmrace serves on ${server.url}, for browsers too; clients connect to ${server.webSocketUrl}`,
  );
  if (demo !== 'none') say(presenterLine(server.url, demo));
  await untilSignal();
  await server.stop();
  return EXIT.OK;
}

const STOCK = 'stock';

async function checkPatch(name: string): Promise<void> {
  if (name === STOCK) return;
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  if (PATCHES.has(name)) return;
  const { suggestion } = await import('../../../server/vocabulary/nearest-word.ts');
  const near = suggestion(name, PATCHES.keys());
  throw new UsageError(`there is no patch "${name}"${near}; mmrace patches lists them`);
}
