#!/usr/bin/env node
/**
 * Says which Node is needed, or starts the command line. No import stands at its head and nothing in it is newer than
 * import(): a Node that is far too old has to read it to its end.
 */
const LEAST = [22, 18];
/** As sysexits.h, and exit-codes.ts: 1 would mean a counterexample. */
const EXIT_UNAVAILABLE = 69;
const EXIT_INTERNAL = 70;

const [major, minor] = process.versions.node.split('.').map(Number);

if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) {
  import('./launch.js').catch((error) => {
    process.stderr.write(`mmrace: internal error\n${error.stack}\n`);
    process.exitCode = EXIT_INTERNAL;
  });
} else {
  process.stderr.write(
    `mmrace needs Node ${LEAST.join('.')} or newer, and this is Node ${process.versions.node}; ` +
      'in a checkout, "npx mmrace" takes the Node that "npm ci" installed.\n',
  );
  process.exitCode = EXIT_UNAVAILABLE;
}
