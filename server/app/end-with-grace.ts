/** How the process of a server ends: told by a signal, or because something was thrown that nothing has caught. */
import closeWithGrace from 'close-with-grace';

/**
 * On the first SIGTERM, SIGINT, SIGHUP or uncaught error calls `stop` and ends the process when it has resolved: with
 * 0, or 1 after an error. A second one ends it at once, with 1.
 */
export function endWithGrace(stop: () => Promise<void>): void {
  // stop() has bounds of its own: see drainMs.
  closeWithGrace({ delay: false, logger: false }, async ({ err }) => {
    if (err !== undefined) process.stderr.write(`${err.stack ?? err.message}\n`);
    await stop();
  });
}
