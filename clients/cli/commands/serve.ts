import type { Command } from 'commander';
import { DEFAULT_CONFIG, type ServerConfig } from '../../../server/config.ts';
import { startServer } from '../../../server/start-server.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { listenFailure } from '../listen-failure.ts';
import { wholeNumber } from '../whole-number.ts';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly leaseMs: number;
  readonly record?: string;
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('start a server; it prints its address and serves until it is told to end')
    .option('--host <address>', 'address to listen on', DEFAULT_CONFIG.host)
    .option('--port <number>', 'port, 0 for any', wholeNumber(0, 65_535), DEFAULT_CONFIG.port)
    .option(
      '--lease-ms <ms>',
      'how long a device may leave a question open before it is fenced',
      wholeNumber(1, 86_400_000),
      DEFAULT_CONFIG.leaseMs,
    )
    .option('--record <dir>', 'write the inbound log of every lab into this folder')
    .action(ending(serve));
}

async function serve({ host, port, leaseMs, record }: ServeOptions): Promise<ExitCode> {
  const config: ServerConfig = {
    ...DEFAULT_CONFIG,
    host,
    port,
    leaseMs,
    recordTo: record ?? 'nowhere',
  };
  const server = await startServer(config).catch((error: unknown) => {
    throw listenFailure(config, error);
  });
  print(server.url);
  say(`mmrace serves on ${server.url}; clients connect to ${server.webSocketUrl}`);
  await untilSignal();
  await server.stop();
  return EXIT.OK;
}
