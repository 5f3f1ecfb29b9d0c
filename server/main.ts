/** The server as a process: reads MMRACE_*, listens, and ends when told to. See config.ts, end-with-grace.ts. */
import { ConfigError, configFrom } from './app/config.ts';
import { endWithGrace } from './app/end-with-grace.ts';
import { StartFailure } from './app/start-failure.ts';
import { startServer } from './app/start-server.ts';

/** As sysexits.h: the command was used wrongly. */
const EXIT_USAGE = 64;

try {
  const server = await startServer(configFrom(process.env));
  // Who reads the address may end it from then on.
  endWithGrace(() => server.stop());
  console.error(`mmrace listens on ${server.url} (WebSocket: ${server.webSocketUrl})`);
  if (server.token !== 'none') console.error(`its token: ${server.url}/#token=${server.token}`);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartFailure)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_USAGE;
}
