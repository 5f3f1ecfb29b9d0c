/**
 * typebox as two files and not as 683: processes of tests, and those that they start, find it so. Loading it would else
 * be most of what a client's process does before it joins.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAMES = ['typebox', 'typebox/compile'];

function fileOf(name: string): string {
  return `${name.replace('/', '-')}.mjs`;
}

/** Returns the file that a process imports before all others, in `folder`. What is not of ours finds the package. */
export async function bundleTypebox(folder: string): Promise<string> {
  await build({
    root: ROOT,
    configFile: false,
    envDir: false,
    logLevel: 'error',
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: false,
      target: 'esnext',
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(NAMES.map((name) => [fileOf(name), name])),
        output: { entryFileNames: '[name]', chunkFileNames: '[name].mjs' },
      },
    },
  });
  const urls = NAMES.map((name) => [name, pathToFileURL(join(folder, fileOf(name))).href]);
  const file = join(folder, 'use-bundled-typebox.mjs');
  writeFileSync(file, hookOf(urls));
  return file;
}

function hookOf(urls: readonly (readonly string[])[]): string {
  const ours = ['server/', 'clients/'].map((path) => pathToFileURL(join(ROOT, path)).href);
  // A test may start another Node, which may have no such hooks.
  return `import * as module from 'node:module';
const urls = new Map(${JSON.stringify(urls)});
const ours = ${JSON.stringify(ours)};
module.registerHooks?.({
  resolve(name, context, next) {
    const url = urls.get(name);
    if (url === undefined || !ours.some((folder) => context.parentURL?.startsWith(folder))) return next(name, context);
    return { url, format: 'module', shortCircuit: true };
  },
});
`;
}
