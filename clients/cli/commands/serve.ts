import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  DEFAULT_CONFIG,
  LOG_FORMS,
  type LogForm,
  type ServerConfig,
} from '../../../server/app/config.ts';
import { DEMO_LAB, startServer } from '../../../server/app/start-server.ts';
import { DURABILITY_MODES, type DurabilityMode } from '../../../server/journal/durability.ts';
import type { MachineFactory } from '../../../server/live/machine-port.ts';
import { asMachine, newLiveMachine } from '../../../server/live/new-live-machine.ts';
import { LiveMachine } from '../../../server/machine/remote/live-machine.ts';
import type { Patch } from '../../../server/patches/patch.ts';
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
  readonly token?: string;
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
      '--token <file>',
      'only with the token in this file labs are opened, runs started, labs listed (default: MMRACE_TOKEN)',
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
    .option(
      '--patch <name>',
      'the kernel of the lab demo: stock, a patch that ships, or a file that exports one',
      'stock',
    )
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
  mmrace serve --patch ./mine.ts              a patch of your own, on loopback
  mmrace serve --host 0.0.0.0 --record runs   for a room, and kept for mmrace replay
  mmrace serve --record runs --restore        goes on with the labs of the server before

The page is at the address that it prints, the documents below it at /docs. It serves until Ctrl-C or
SIGTERM; clients are told, and a second signal ends it at once.`;

async function serve(options: ServeOptions): Promise<ExitCode> {
  const { record, restore, patch: named, log, publicHost, token, ...flags } = options;
  const restored = restore === true ? ('restored' as const) : undefined;
  const given = {
    ...flags,
    publicHosts: publicHost,
    tokenFile: token,
    recordTo: record,
    restore: restored,
    logForm: log,
  };
  const config = await serverConfig(given);
  const { patch, factory } = await kernelNamed(named, config);
  await readyPage();
  const server = await startServer(config, factory).catch((error: unknown) => {
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
/** The scenario that a patch of the user's own is tried on before it is served. */
const TRIED_ON = 'seed-zero-page';

interface Kernel {
  /** As labs call it. */
  readonly patch: string;
  readonly factory: MachineFactory;
}

/** Throws: UsageError; BadInput for a file that is no patch, or does not come to an end. */
async function kernelNamed(named: string, config: ServerConfig): Promise<Kernel> {
  if (named === STOCK) return { patch: named, factory: newLiveMachine };
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  if (PATCHES.has(named)) return { patch: named, factory: newLiveMachine };
  const { isFile } = await import('../../../server/scenario/explore-request.ts');
  if (!isFile(named)) {
    const { suggestion } = await import('../../../server/vocabulary/nearest-word.ts');
    const near = suggestion(named, PATCHES.keys());
    const remedy = `mmrace patches lists them, and a file of your own is given as ./${named}.ts`;
    throw new UsageError(`there is no patch "${named}"${near}; ${remedy}`);
  }
  checkAlone(config);
  const own = await ownPatch(resolve(named));
  if (own.id === STOCK || PATCHES.has(own.id))
    throw new UsageError(`${named}: a patch that ships is called ${own.id}: give it another id`);
  const patches = new Map([...PATCHES, [own.id, own]]);
  const factory: MachineFactory = (machine, sinks) =>
    asMachine(new LiveMachine(machine, sinks, patches));
  return { patch: own.id, factory };
}

/** Others could hang a server with what a patch of its owner does to it, and no recording could be replayed. */
function checkAlone({ host, recordTo }: ServerConfig): void {
  if (!/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host))
    throw new UsageError(`--patch FILE: only on loopback, and not on ${host}`);
  if (recordTo !== 'nowhere')
    throw new UsageError('--patch FILE: without --record: a recording cannot bring the file along');
}

/** Tried in a thread first, where it can be ended whatever it does. */
async function ownPatch(file: string): Promise<Patch> {
  const { askedFrom } = await import('../scenario-choice.ts');
  const { checkInThread } = await import(
    '../../../server/verify/explore/workers/check-in-thread.ts'
  );
  const { loadPatch } = await import('../../../server/scenario/user-code.ts');
  await checkInThread(askedFrom(TRIED_ON, { patch: file, driver: [] }));
  return await loadPatch(file);
}
