/** How the page is built: by Vite, from clients/web into a folder, with nothing fetched. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import react from '@vitejs/plugin-react';
import { build, type Plugin } from 'vite';
import { PAGE_FOLDER } from './page-folder.ts';

/** A module of Node's would be an empty object in the page, and fail only when somebody uses it. */
const noNodeModules: Plugin = {
  name: 'no-node-modules',
  enforce: 'pre',
  resolveId(source, importer) {
    if (source.startsWith('node:')) {
      throw new Error(`${importer ?? 'the page'} imports ${source}, which browsers do not have`);
    }
    return null;
  },
};

/** Whoever is served meanwhile finds the old page or the new one. Rejects if a source does not build. */
export async function buildPage(root: string): Promise<void> {
  const folder = join(root, PAGE_FOLDER);
  const fresh = `${folder}.${process.pid}.new`;
  const old = `${folder}.${process.pid}.old`;
  try {
    await build({
      root: join(root, 'clients/web'),
      configFile: false,
      envDir: false,
      logLevel: 'warn',
      plugins: [noNodeModules, react()],
      build: {
        outDir: fresh,
        emptyOutDir: true,
        target: 'es2023',
        modulePreload: { polyfill: false },
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 1_000,
      },
    });
    mkdirSync(dirname(folder), { recursive: true });
    rmSync(old, { recursive: true, force: true });
    move(folder, old, 'ENOENT');
    move(fresh, folder, 'ENOTEMPTY');
  } finally {
    rmSync(old, { recursive: true, force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Another process that builds the same may have been there a moment ago: then `allowed` is what goes wrong. */
function move(from: string, to: string, allowed: 'ENOENT' | 'ENOTEMPTY'): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== allowed) throw error;
  }
}
