import type { Command } from 'commander';
import { DEFAULT_CONFIG } from '../../../server/config.ts';
import { startServer } from '../../../server/start-server.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { asUsageError, serverConfig } from '../server-config.ts';
import { wholeNumber } from '../whole-number.ts';

/** What is not given comes from MMRACE_* (server/config.ts), and then from the defaults. */
interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly leaseMs?: number;
  readonly record?: string;
}

export function addServeCommand(program: Command): void {
  const { host, port, leaseMs } = DEFAULT_CONFIG;
  program
    .command('serve')
    .description('start a server; it prints its address and serves until it is told to end')
    .option('--host <address>', `address to listen on (default: MMRACE_HOST or ${host})`)
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
    .addHelpText('after', EXAMPLES)
    .action(ending(serve));
}

const EXAMPLES = `
Examples:
  mmrace serve
  mmrace serve --port 0                       any free port; the address is printed on stdout
  mmrace serve --host 0.0.0.0 --record runs   for a room, and kept for mmrace replay

The page is at the address that it prints, the documents below it at /docs. It serves until Ctrl-C or
SIGTERM; clients are told, and a second signal ends it at once.`;

async function serve({ record, ...flags }: ServeOptions): Promise<ExitCode> {
  const config = await serverConfig({ ...flags, recordTo: record });
  const server = await startServer(config).catch((error: unknown) => {
    throw asUsageError(error);
  });
  print(server.url);
  say(`mmrace serves on ${server.url}; clients connect to ${server.webSocketUrl}`);
  await untilSignal();
  await server.stop();
  return EXIT.OK;
}
