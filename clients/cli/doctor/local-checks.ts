/** What can be seen of this machine and this installation without asking anybody. */

import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILT_VERSIONS, builtKernel } from '../../../server/realkernel/kernel-cache.ts';
import { checkQemu, QEMU } from '../../../server/realkernel/qemu.ts';
import {
  shippedScenario,
  shippedScenarioNames,
} from '../../../server/scenario/shipped-scenarios.ts';
import { type Environment, readConfigFile } from '../config/config-file.ts';
import { UsageError } from '../failure.ts';
import { stateFolder } from '../prompt/history-file.ts';
import { type Checked, fine, ill, nothingToCheck } from './check.ts';

const NODE_LEAST = [22, 18] as const;

export function checkNode(version: string): Checked {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = NODE_LEAST;
  const enough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  const needed = NODE_LEAST.join('.');
  if (enough) return fine('node', `${version} (${needed} or newer is needed)`);
  return ill(
    'node',
    `${version} is too old`,
    `Install Node ${needed} or newer, or start it as npx mmrace.`,
  );
}

/** The folder with package.json: two folders above the sources, three above the built files. */
export function packageFolder(from: string = import.meta.url): string | 'none' {
  const found = ['../../..', '../../../..']
    .map((path) => fileURLToPath(new URL(path, from)))
    .find((folder) => existsSync(join(folder, 'package.json')));
  return found ?? 'none';
}

/** Every package that it depends on is there, and the scenarios that ship can be read. */
export function checkPackage(folder: string | 'none'): Checked {
  const name = 'package';
  const again = 'Run npm ci again, in a fresh checkout if that does not help.';
  if (folder === 'none') return ill(name, 'package.json is missing', again);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly dependencies?: { readonly [name: string]: string };
  };
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const missing = dependencies.filter((dependency) => !isInstalled(folder, dependency));
  if (missing.length > 0) return ill(name, `missing: ${missing.join(', ')}`, again);
  const scenarios = shippedScenarioNames();
  if (scenarios.length === 0) return ill(name, 'the folder scenarios is missing', again);
  const broken = scenarios.filter((scenario) => !isReadable(scenario));
  if (broken.length > 0) return ill(name, `not a scenario: ${broken.join(', ')}`, again);
  const parts = `${dependencies.length} packages and ${scenarios.length} scenarios are there`;
  return fine(name, `mmrace ${manifest.version}: ${parts}`);
}

/** The page that a server shows. Everything else works without it. */
export function checkPage(folder: string | 'none'): Checked {
  const built = folder !== 'none' && existsSync(join(folder, 'dist', 'web', 'index.html'));
  if (built) return fine('page', 'built');
  return ill('page', 'not built: a server answers / with a sentence instead', 'Run npm run build.');
}

function isInstalled(folder: string, dependency: string): boolean {
  // Not every package lets itself be resolved, but each has a folder on the way up.
  const paths = createRequire(join(folder, 'package.json')).resolve.paths(dependency) ?? [];
  return paths.some((path) => existsSync(join(path, dependency, 'package.json')));
}

function isReadable(scenario: string): boolean {
  try {
    return shippedScenario(scenario) !== 'none';
  } catch {
    return false;
  }
}

export async function checkConfig(folder: string): Promise<Checked> {
  try {
    const file = await readConfigFile(folder);
    if (file === 'none')
      return nothingToCheck('config', 'no mmrace.json or mmrace.yaml in this folder');
    return fine('config', `${file.path} sets ${Object.keys(file.values).join(', ') || 'nothing'}`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return ill(
      'config',
      error.message,
      'Correct the file; mmrace config --schema says what may be in it.',
    );
  }
}

/** Any of these shows the page; the first is what the tests of the page use. */
const BROWSERS = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'firefox',
  'microsoft-edge',
] as const;

export function checkBrowser({ PATH = '' }: Environment): Checked {
  const found = PATH.split(delimiter)
    .flatMap((folder) => BROWSERS.map((browser) => join(folder, browser)))
    .find(isExecutable);
  if (found !== undefined) return fine('browser', found);
  return ill(
    'browser',
    'none is on the PATH, for the page',
    'Install one: apt-get install chromium.',
  );
}

/** For confirm, which plays counterexamples on a real kernel. */
export function checkGuests(): Checked {
  const missing = checkQemu();
  if (missing !== 'none') return nothingToCheck('guests', `for mmrace confirm: ${missing}`);
  const built = BUILT_VERSIONS.filter((version) => builtKernel(version) !== 'none');
  if (built.length > 0) return fine('guests', `${QEMU}, and Linux ${built.join(' and ')}`);
  return nothingToCheck('guests', `${QEMU}, and no kernel yet: mmrace kernel build`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where reports and counterexamples go, and where prompts keep their lines. */
export function checkFolders(folder: string, environment: Environment): Checked {
  const state = stateFolder(environment);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    accessSync(state, constants.W_OK | constants.X_OK);
    return fine('folders', `${folder} and ${state} can be written`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const remedy =
      'Work in a folder of your own; say with XDG_STATE_HOME where prompts keep their lines.';
    return ill('folders', why, remedy);
  }
}
