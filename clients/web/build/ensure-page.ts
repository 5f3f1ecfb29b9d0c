/** Builds the page if it is not there, or older than what it is made of. */
import { existsSync, globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE_FOLDER } from './page-folder.ts';

/** The folder that holds package.json: this file stands three folders below it. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['clients/**/*.{ts,tsx,css,html,svg}', 'server/**/*.ts', 'package-lock.json'];
const NOT_IN_PAGE = /\.(?:test|bench|fixture)\.ts$|^clients\/(?:cli|web\/(?:build|e2e))\//;

export type PageState = 'was-built' | 'built-now' | 'no-sources';

/**
 * Returns: 'no-sources' in the published package, whose page is built already.
 *
 * Rejects if a source does not build, or the packages that build it are not installed.
 */
export async function ensurePage(root: string = ROOT): Promise<PageState> {
  if (!existsSync(join(root, 'clients/web/main.tsx'))) return 'no-sources';
  if (isFresh(root)) return 'was-built';
  const { buildPage } = await import('./page-build.ts');
  await buildPage(root);
  return 'built-now';
}

function isFresh(root: string): boolean {
  const page = join(root, PAGE_FOLDER, 'index.html');
  if (!existsSync(page)) return false;
  const builtAt = statSync(page).mtimeMs;
  return globSync(SOURCES, { cwd: root })
    .filter((path) => !(NOT_IN_PAGE.test(path) || path.includes('node_modules/')))
    .every((path) => statSync(join(root, path)).mtimeMs <= builtAt);
}
