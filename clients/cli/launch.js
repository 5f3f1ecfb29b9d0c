/** From the sources in a checkout, from dist/ in the package: Node strips no types below node_modules. */
import { existsSync } from 'node:fs';

const sources = new URL('./main.ts', import.meta.url);
const built = new URL('../../dist/clients/cli/main.js', import.meta.url);

await import(existsSync(sources) ? sources.href : built.href);
