import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  DEFAULT_CONFIG,
  KEEP_MIB_MAX,
  LOG_FORMS,
  type LogForm,
  MIB,
  type ServerConfig,
} from '../../../server/app/config.ts';
import { endWithGrace } from '../../../server/app/end-with-grace.ts';
import { isLoopback } from '../../../server/app/server-token.ts';
import { DEMO_LAB, startServer } from '../../../server/app/start-server.ts';
import { DURABILITY_MODES, type DurabilityMode } from '../../../server/journal/durability.ts';
import { STOCK_MACHINE } from '../../../server/live/labs.ts';
import type { MachineFactory } from '../../../server/live/machine-port.ts';
import { asMachine, newLiveMachine } from '../../../server/live/new-live-machine.ts';
import { LiveMachine } from '../../../server/machine/remote/live-machine.ts';
import { jointName, namesIn, STOCK_NAME } from '../../../server/patches/joint-name.ts';
import type { Patch } from '../../../server/patches/patch.ts';
import { ending, print, say } from '../ending.ts';
import type { ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { isOwn, reachable } from '../join-picture.ts';
import { readyPage } from '../page-of-server.ts';
import { patchOption } from '../patch-option.ts';
import { presenterLine, tokenLine } from '../presenter-line.ts';
import { asUsageError, serverConfig } from '../server-config.ts';
import { wholeNumber } from '../whole-number.ts';

/** What is not given comes from MMRACE_* (server/app/config.ts), and then from the defaults. */
interface ServeOptions {
  readonly host?: string;
  readonly publicHost?: readonly string[];
  readonly token?: string;
  readonly port?: number;
  readonly leaseMs?: number;
  readonly graceMs?: number;
  readonly heartbeatMs?: number;
  readonly record?: string;
  readonly patch: string;
  readonly log?: LogForm;
  readonly restore?: true;
  readonly durability?: DurabilityMode;
  readonly keep?: number;
  readonly redis?: string;
  readonly address?: string;
}

export function addServeCommand(program: Command): void {
  const { host, port, leaseMs, graceMs, heartbeatMs, durability } = DEFAULT_CONFIG;
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
      'only with the token in this file labs are opened, runs started, labs listed; none: everybody may ' +
        '(default: MMRACE_TOKEN, or one of its own where others reach it)',
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
      '--grace-ms <ms>',
      `how long a lost session can be resumed (default: MMRACE_GRACE_MS or ${graceMs})`,
      wholeNumber(1, 86_400_000),
    )
    .option(
      '--heartbeat-ms <ms>',
      `the time between two pings to a client (default: MMRACE_HEARTBEAT_MS or ${heartbeatMs})`,
      wholeNumber(1, 86_400_000),
    )
    .option(
      '--record <dir>',
      'write the inbound log of every lab into this folder (see mmrace replay)',
    )
    .addOption(patchOption('the kernel of the lab demo: '))
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
    .option(
      '--keep <mib>',
      'with --restore: of each recording keep so many MiB, and remove what no later server needs beyond ' +
        '(default: MMRACE_KEEP, or all is kept)',
      wholeNumber(1, KEEP_MIB_MAX),
    )
    .option(
      '--redis <url>',
      'keep labs in this Redis: any server that does answers for any of them, and takes over those of one that is ' +
        'gone (see docs/SCALE.md; default: MMRACE_REDIS)',
    )
    .option(
      '--address <url>',
      'with --redis: where clients of the other servers are sent to (default: MMRACE_ADDRESS, or its host and port)',
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
  mmrace serve --host 0.0.0.0 --token secret  the same token each time; --token none: open to everybody
  mmrace serve --record runs --restore        goes on with the labs of the server before
  mmrace serve --redis redis://127.0.0.1:6379 --port 7071   one of several servers

The page is at the address that it prints, the documents below it at /docs. It serves until Ctrl-C, SIGTERM
or the end of its terminal (SIGHUP): clients are told, recordings are closed, exit 0. A second signal ends it at
once, exit 1.`;

async function serve(options: ServeOptions): Promise<ExitCode> {
  const { record, restore, patch: named, log, publicHost, token, keep, ...flags } = options;
  const restored = restore === true ? ('restored' as const) : undefined;
  const given = {
    ...flags,
    publicHosts: publicHost,
    tokenFile: token,
    recordTo: record,
    restore: restored,
    logForm: log,
    keep: keep === undefined ? undefined : keep * MIB,
  };
  const config = await serverConfig(given);
  const { patch, factory } = await kernelNamed(named, config);
  await readyPage();
  const server = await startServer(config, factory).catch((error: unknown) => {
    throw asUsageError(error);
  });
  // Who reads the address may end it from then on.
  endWithGrace(() => server.stop());
  const demo = server.labs.get(DEMO_LAB);
  // A lab that was restored has the kernel that it had.
  if (patch !== STOCK_NAME && demo !== 'none' && demo.begins === 'new')
    await demo.renew({ ...STOCK_MACHINE, patch });
  print(server.url);
  say(
    `mmrace serves on ${server.url}, for browsers too; clients connect to ${server.webSocketUrl}`,
  );
  const { token: word } = server;
  if (!isOwn(server.url) || word !== 'none') say(tokenLine(server.url, word));
  if (demo !== 'none') say(presenterLine(reachable(server.url), demo));
  return await new Promise<never>(() => undefined);
}

interface Kernel {
  /** As labs call it. */
  readonly patch: string;
  readonly factory: MachineFactory;
}

/** Throws: UsageError; BadInput for a file that is no patch, or does not come to an end. */
async function kernelNamed(named: string, config: ServerConfig): Promise<Kernel> {
  if (named === STOCK_NAME) return { patch: named, factory: newLiveMachine };
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  const { clashOf } = await import('../../../server/patches/patch-set.ts');
  const chosen: Patch[] = [];
  for (const name of namesIn(named))
    chosen.push(PATCHES.get(name) ?? (await patchAlone(name, config)));
  const clash = clashOf(chosen);
  if (clash !== 'none') throw new UsageError(`--patch: ${clash}`);
  const patches = new Map([...PATCHES, ...chosen.map((patch) => [patch.id, patch] as const)]);
  const factory: MachineFactory = (machine, sinks) =>
    asMachine(new LiveMachine(machine, sinks, patches));
  return { patch: jointName(chosen.map(({ id }) => id)), factory };
}

/** A patch from a file. Throws: as kernelNamed(). */
async function patchAlone(named: string, config: ServerConfig): Promise<Patch> {
  const { PATCHES } = await import('../../../server/patches/patches.ts');
  const { isFile } = await import('../../../server/scenario/explore-request.ts');
  if (!isFile(named)) {
    const { suggestion } = await import('../../../server/vocabulary/nearest-word.ts');
    const near = suggestion(named, PATCHES.keys());
    const remedy = `mmrace patches lists them, and a file of your own is given as ./${named}.ts`;
    throw new UsageError(`there is no patch "${named}"${near}; ${remedy}`);
  }
  checkAlone(config);
  const { ownPatch } = await import('../own-patch.ts');
  const own = await ownPatch(resolve(named));
  if (own.id === STOCK_NAME || PATCHES.has(own.id))
    throw new UsageError(`${named}: a patch that ships is called ${own.id}: give it another id`);
  return own;
}

/** Others could hang a server with what a patch of its owner does to it, and no recording could be replayed. */
function checkAlone({ host, recordTo }: ServerConfig): void {
  if (!isLoopback(host)) throw new UsageError(`--patch FILE: only on loopback, and not on ${host}`);
  if (recordTo !== 'nowhere')
    throw new UsageError('--patch FILE: without --record: a recording cannot bring the file along');
}
