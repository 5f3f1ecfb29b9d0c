/** The server as a process: reads MMRACE_*, listens, and ends on SIGTERM or SIGINT. See config.ts. */
import { ConfigError, configFrom } from './app/config.ts';
import { StartFailure } from './app/start-failure.ts';
import { startServer } from './app/start-server.ts';

/** As sysexits.h: the command was used wrongly. */
const EXIT_USAGE = 64;

try {
  const server = await startServer(configFrom(process.env));
  console.error(`mmrace listens on ${server.url} (WebSocket: ${server.webSocketUrl})`);
  let signals = 0;
  const onSignal = () => {
    signals += 1;
    if (signals > 1) process.exit(1);
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartFailure)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_USAGE;
}
