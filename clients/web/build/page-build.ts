/** How the page is built: by Vite, from clients/web into a folder, with nothing fetched. */
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { parse } from 'yaml';
import { PAGE_FOLDER } from './page-folder.ts';

/** A module of Node's would be an empty object in the page, and fail only when it is used. */
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

/** Scenarios are data in the page: nothing there reads YAML. */
const scenarios: Plugin = {
  name: 'scenarios',
  transform(code, id) {
    if (!id.endsWith('.yaml')) return null;
    return { code: `export const scenario = ${JSON.stringify(parse(code))};`, map: null };
  },
};

/** Where messages are described, each for the documents as well. */
const MESSAGES =
  /server\/protocol\/(?:[a-z]+-(?:requests|questions|notifications|control|values|api|sheet)|hello|ping)\.ts$/;
const DOCUMENTED = /(\b(?:meaning|description):\s*)(?:prose\(`[^`]*`\)|'(?:[^'\\\n]|\\.)*')/g;

/** Where operations are described, for the prompt and the documents. */
const OPERATIONS = /(?:abi\/cpu-calls|agents\/[a-z]+-verbs|dmirror\/dmirror-verb)\.ts$/;
const EXPLAINED = /(\b(?:summary|more):\s*)(?:prose\(`[^`]*`\)|'(?:[^'\\\n]|\\.)*')/g;
const EXAMPLES = /(\bexamples:\s*)\[[^\]]*\]/g;
const ERRORS = /(\berrors:\s*)\{[^{}]*\}/g;

/** Where it is said which commits of Linux a version has, and another has not: the server tells it. */
const CHANGES = /server\/kernel\/versions\/.+\.ts$/;
const TOLD = /(\b(?:summary|commit):\s*)'(?:[^'\\\n]|\\.)*'/g;

/** The page checks messages and does operations, and explains neither: what only others print stays out of it. */
const withoutProse: Plugin = {
  name: 'without-prose',
  enforce: 'pre',
  transform(code, id) {
    if (CHANGES.test(id)) return { code: code.replaceAll(TOLD, "$1''"), map: null };
    const areOperations = OPERATIONS.test(id);
    if (!(areOperations || MESSAGES.test(id))) return null;
    const quiet = code.replaceAll(DOCUMENTED, "$1''");
    if (!areOperations) return { code: quiet, map: null };
    const quieter = quiet.replaceAll(EXPLAINED, "$1''").replaceAll(EXAMPLES, '$1[]');
    return { code: quieter.replaceAll(ERRORS, '$1{}'), map: null };
  },
};

/** What ships, and what the page has in its place. */
const OF_LEVELS: readonly (readonly [all: string, ofLevels: string])[] = [
  ['clients/drivers/catalogue/drivers.ts', 'clients/web/break/level-drivers.ts'],
  ['server/patches/patches.ts', 'clients/web/break/level-patches.ts'],
  ['server/machine/oracles/contract/watched-device.ts', 'clients/web/break/level-contract.ts'],
  ['server/kernel/fault/do-huge-pmd.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/memory/userfault-move.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/syscalls/khugepaged.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/syscalls/madvise-collapse.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/syscalls/madvise-free-huge.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/syscalls/punch-hole.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/syscalls/swapoff.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/reclaim/migrate-pages.ts', 'clients/web/break/level-kernel.ts'],
  ['server/kernel/rmap/migrate-huge-page.ts', 'clients/web/break/level-kernel.ts'],
  ['server/scenario/forgetting.ts', 'clients/web/break/level-kernel.ts'],
];

/** Names of files that may be among them. */
const REPLACED = new RegExp(
  `/(?:${OF_LEVELS.map(([all]) => all.slice(all.lastIndexOf('/') + 1, -'.ts'.length)).join('|')})\\.ts$`,
);

/** The machine of the page plays levels, and is loaded by phones, too: drivers and patches of others stay out of it. */
function ofLevels(root: string): Plugin {
  return {
    name: 'of-levels',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (!REPLACED.test(source)) {
        return null;
      }
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      const instead = OF_LEVELS.find(([all]) => found?.id === join(root, all));
      return instead === undefined ? found : join(root, instead[1]);
    },
  };
}

/** A browser that asks meanwhile gets the old page or the new one. Rejects if a source does not build. */
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
      resolve: {
        alias: { 'typebox/compile': join(root, 'clients/web/explained-checks.ts') },
      },
      plugins: [noNodeModules, scenarios, withoutProse, ofLevels(root)],
      build: {
        outDir: fresh,
        emptyOutDir: true,
        target: 'es2023',
        modulePreload: { polyfill: false },
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 1_000,
      },
    });
    pack(fresh);
    mkdirSync(dirname(folder), { recursive: true });
    rmSync(old, { recursive: true, force: true });
    move(folder, old, 'ENOENT');
    move(fresh, folder, 'ENOTEMPTY');
  } finally {
    rmSync(old, { recursive: true, force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Beside each file that is worth it, for browsers that unpack. Over http none takes brotli. */
function pack(folder: string): void {
  for (const path of globSync('assets/*.{js,css,svg}', { cwd: folder })) {
    const file = join(folder, path);
    writeFileSync(
      `${file}.gz`,
      gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION }),
    );
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
