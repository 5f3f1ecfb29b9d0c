/** `npm run build` and `npm start`: with `--if-old` builds the page only if it has to be. */
import { fileURLToPath } from 'node:url';
import { ensurePage } from './ensure-page.ts';
import { buildPage } from './page-build.ts';

if (process.argv.includes('--if-old')) await ensurePage();
else await buildPage(fileURLToPath(new URL('../../..', import.meta.url)));
