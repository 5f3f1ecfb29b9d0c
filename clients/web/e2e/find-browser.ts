/** The browser of the end-to-end tests: one that is there, or Debian's, installed where that is allowed. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const INSTALL = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'] as const;
const INSTALL_MS = 300_000;

interface Surroundings {
  readonly environment: { readonly [name: string]: string | undefined };
  readonly isRoot: () => boolean;
  readonly install: () => Promise<void>;
  readonly isProgram: (path: string) => boolean;
}

const HERE: Surroundings = {
  environment: process.env,
  isRoot: () => process.getuid?.() === 0,
  install: async () => {
    const [program, ...args] = INSTALL;
    await promisify(execFile)(program, args, {
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  },
  isProgram,
};

/**
 * The path of a Chromium: that of CHROMIUM, else the first one in PATH, else one that apt-get installs for root.
 *
 * Rejects if there is none and none may be installed: the message has the command to run. Tests do not pass without.
 */
export async function findBrowser(surroundings: Surroundings = HERE): Promise<string> {
  const { environment, isRoot, install, isProgram: exists } = surroundings;
  const named = environment.CHROMIUM;
  if (named !== undefined && named !== '') {
    if (exists(named)) return named;
    throw new Error(`CHROMIUM names ${named}, which is no program. Name another one, or none.`);
  }
  const found = lookUp(environment, exists);
  if (found !== 'none') return found;
  if (isRoot()) await install().catch(() => undefined);
  const installed = lookUp(environment, exists);
  if (installed !== 'none') return installed;
  throw new Error(
    'The page is tested in a browser, and there is none. Run "sudo apt-get install chromium", ' +
      'or set CHROMIUM to the path of a Chromium or Chrome, and test again.',
  );
}

function lookUp(
  { PATH = '' }: Surroundings['environment'],
  exists: Surroundings['isProgram'],
): string | 'none' {
  const folders = [...PATH.split(delimiter).filter(Boolean), '/usr/bin', '/usr/local/bin'];
  const paths = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find(exists) ?? 'none';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
