#!/usr/bin/env node
/**
 * Starts the command line: from the TypeScript sources in a checkout, from dist/ in the published package (Node
 * strips no types below node_modules). Plain JavaScript, so that an old Node can say what it lacks.
 */
import { existsSync } from 'node:fs';

const sources = new URL('./main.ts', import.meta.url);

if (!existsSync(sources)) {
  await import(new URL('../../dist/clients/cli/main.js', import.meta.url).href);
} else if (process.features.typescript) {
  await import(sources.href);
} else {
  process.stderr.write(
    `mmrace: Node ${process.versions.node} cannot run TypeScript. ` +
      'Start it as "npx mmrace", which uses the Node that "npm ci" installed.\n',
  );
  process.exitCode = 64;
}
