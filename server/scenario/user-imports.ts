/**
 * What patches and drivers of users import is API: `mmrace/kernel/kernel` is server/kernel/kernel.ts of the program
 * that loads them, installed or a checkout. package.json exports the same (a test compares them), so that editors and
 * compilers find the types.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Language, languageOf } from './parsed-code.ts';
import { preparedCode } from './prepared-code.ts';

/** The folders of `mmrace/FOLDER/*`. */
export const API_FOLDERS: { readonly [folder: string]: string } = {
  abi: 'server/abi',
  protocol: 'server/protocol',
  vocabulary: 'server/vocabulary',
  task: 'server/task',
  kernel: 'server/kernel',
  patches: 'server/patches',
  drivers: 'clients/drivers',
  sdk: 'clients/sdk',
};

/** What has moved since it could be imported, without its ending: files of users have the old paths. */
export const MOVED: { readonly [path: string]: string } = {
  'server/protocol/cpu-api': 'server/abi/cpu-api',
  'server/protocol/device-api': 'server/abi/device-api',
  'server/protocol/event': 'server/abi/event',
  'server/protocol/hmm-pfn': 'server/abi/hmm-pfn',
  'server/protocol/migrate-pfn': 'server/abi/migrate-pfn',
  'clients/drivers/faulty/corrected': 'clients/drivers/dmirror/corrected',
  'clients/drivers/faulty/driver-variant': 'clients/drivers/interface/driver-variant',
  'clients/drivers/faulty/drivers': 'clients/drivers/catalogue/drivers',
  'clients/drivers/faulty/faithful': 'clients/drivers/dmirror/faithful',
  'clients/drivers/catalogue/corrected': 'clients/drivers/dmirror/corrected',
  'clients/drivers/catalogue/driver-variant': 'clients/drivers/interface/driver-variant',
  'clients/drivers/catalogue/faithful': 'clients/drivers/dmirror/faithful',
  'clients/drivers/catalogue/late-exclusive': 'clients/drivers/designs/late-exclusive',
  'clients/drivers/catalogue/per-range': 'clients/drivers/designs/per-range',
  'clients/drivers/catalogue/two-pass': 'clients/drivers/designs/two-pass',
  'clients/drivers/catalogue/wedged': 'clients/drivers/designs/wedged',
  'clients/drivers/corrected-dmirror': 'clients/drivers/dmirror/corrected-dmirror',
  'clients/drivers/device-memory': 'clients/drivers/hardware/device-memory',
  'clients/drivers/device-page-table': 'clients/drivers/hardware/device-page-table',
  'clients/drivers/dmirror-access': 'clients/drivers/dmirror/dmirror-access',
  'clients/drivers/dmirror-contents': 'clients/drivers/dmirror/dmirror-contents',
  'clients/drivers/dmirror-devmem': 'clients/drivers/dmirror/dmirror-devmem',
  'clients/drivers/dmirror-exclusive': 'clients/drivers/dmirror/dmirror-exclusive',
  'clients/drivers/dmirror-fault': 'clients/drivers/dmirror/dmirror-fault',
  'clients/drivers/dmirror-invalidate': 'clients/drivers/dmirror/dmirror-invalidate',
  'clients/drivers/dmirror-migrate-back': 'clients/drivers/dmirror/dmirror-migrate-back',
  'clients/drivers/dmirror-migrate': 'clients/drivers/dmirror/dmirror-migrate',
  'clients/drivers/dmirror-release': 'clients/drivers/dmirror/dmirror-release',
  'clients/drivers/dmirror-snapshot': 'clients/drivers/dmirror/dmirror-snapshot',
  'clients/drivers/dmirror-state': 'clients/drivers/dmirror/dmirror-state',
  'clients/drivers/dmirror-verb': 'clients/drivers/dmirror/dmirror-verb',
  'clients/drivers/dmirror': 'clients/drivers/dmirror/dmirror',
  'clients/drivers/faulty/dmirror-variant': 'clients/drivers/dmirror/dmirror-variant',
  'clients/drivers/faulty/lab-verb': 'clients/drivers/dmirror/lab-verb',
};

/** The program itself: sources in a checkout, compiled in a package. */
const ROOT = new URL('../../', import.meta.url).href;
const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const ENTRY = 'clients/library/mmrace';

/** What prepared code imports. */
const WATCHER = new URL(`watched-code${ENDING}`, import.meta.url).href;
const LANGUAGES: { readonly [format: string]: Language } = {
  module: 'js',
  'module-typescript': 'ts',
};

let hooked = false;

/** From here on files that this thread loads find the API, by its names and by old paths. */
export function resolveUserImports(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const own = ownFile(specifier, context.parentURL);
      return next(own ?? specifier, context);
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const { format, source } = loaded;
      const language = LANGUAGES[format ?? ''];
      if (language === undefined || !isUsers(url) || source === undefined || source === null)
        return loaded;
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, format: 'module', source: preparedCode(text, language, WATCHER) };
    },
  });
}

/** The text of a file as it runs here: of users' modules what was put into it, with the lines as they were. */
export function loadedText(file: string, text: string): string {
  const isModule = /\.(?:m?[tj]s)$/.test(file);
  const isPrepared = isModule && isUsers(pathToFileURL(file).href);
  return isPrepared ? preparedCode(text, languageOf(file), WATCHER) : text;
}

/** Neither of this program nor of a package. */
function isUsers(url: string): boolean {
  if (!url.startsWith('file:') || url.includes('/node_modules/')) return false;
  const own = url.startsWith(ROOT) ? url.slice(ROOT.length) : '';
  return ENDING === '.js' ? own === '' : !/^(server|clients)\//.test(own);
}

/** The URL of the file of this program that is meant; undefined if the specifier is to be taken as it is. */
function ownFile(specifier: string, importer: string | undefined): string | undefined {
  if (specifier === 'mmrace') return `${ROOT}${ENTRY}${ENDING}`;
  const named = /^mmrace\/([^/]+)\/(.+)$/.exec(specifier);
  if (named !== null) {
    const folder = API_FOLDERS[named[1] as string];
    return folder === undefined ? undefined : `${ROOT}${moved(`${folder}/${named[2]}`)}`;
  }
  if (importer === undefined || !/^(\.|\/|file:)/.test(specifier)) return undefined;
  const url = new URL(specifier, importer).href;
  if (!url.startsWith(ROOT)) return undefined;
  const path = url.slice(ROOT.length);
  return Object.hasOwn(MOVED, withoutEnding(path)) ? `${ROOT}${moved(path)}` : undefined;
}

function moved(path: string): string {
  const bare = withoutEnding(path);
  return `${MOVED[bare] ?? bare}${ENDING}`;
}

function withoutEnding(path: string): string {
  return path.replace(/\.[jt]s$/, '');
}
