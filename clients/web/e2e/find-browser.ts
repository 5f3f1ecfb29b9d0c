/** Which browser the page is tested in: decided here, for tests, screenshots and benchmarks alike. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserEnvironment, bundledBrowser, type FoundBrowser } from './bundled-browser.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
/** A browser that cannot tell its version by then will not show a page in time either. */
const VERSION_MS = 20_000;

const ASKED_MAX = 3;

/** What a test that is skipped for want of a browser says. */
export const NO_BROWSER =
  'no Chromium runs here: "sudo apt-get install chromium" installs one, or set CHROMIUM to the path of one';

export interface Surroundings {
  readonly environment: BrowserEnvironment;
  readonly isProgram: (path: string) => boolean;
  /** It starts here, with the libraries that are here. */
  readonly runs: (browser: FoundBrowser) => boolean;
  readonly bundled: () => Promise<FoundBrowser | 'none'>;
}

const HERE: Surroundings = {
  environment: process.env,
  isProgram,
  runs,
  bundled: () => bundledBrowser(process.env),
};

/**
 * The Chromium that CHROMIUM names, else the first one in PATH that runs, else the one that npm brings.
 *
 * Rejects if CHROMIUM names one that does not run: who names one wants that one.
 */
export async function findBrowser(
  surroundings: Surroundings = HERE,
): Promise<FoundBrowser | 'none'> {
  const { environment, runs } = surroundings;
  const named = environment.CHROMIUM;
  if (named !== undefined && named !== '') {
    const browser = { executablePath: named, environment };
    if (runs(browser)) return browser;
    throw new Error(`CHROMIUM names ${named}, which does not run. Name another one, or none.`);
  }
  const installed = inPath(surroundings).find(runs);
  if (installed !== undefined) return installed;
  const bundled = await surroundings.bundled();
  return bundled !== 'none' && runs(bundled) ? bundled : 'none';
}

/** One that is ended by a signal is asked again: a Chromium in some hundreds crashes while it starts. */
function runs({ executablePath, environment: env }: FoundBrowser): boolean {
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    const { status, signal } = spawnSync(executablePath, ['--version'], {
      env,
      timeout: VERSION_MS,
    });
    if (signal === null) return status === 0;
  }
  return false;
}

function inPath({ environment, isProgram: exists }: Surroundings): readonly FoundBrowser[] {
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  return [...new Set(folders.filter(Boolean))]
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .filter(exists)
    .map((executablePath) => ({ executablePath, environment }));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
