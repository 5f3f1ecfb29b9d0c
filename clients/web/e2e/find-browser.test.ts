import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundBrowser } from './bundled-browser.ts';
import { findBrowser, type Surroundings } from './find-browser.ts';

const BUNDLED: FoundBrowser = { executablePath: '/npm/chromium', environment: { FONTS: 'own' } };

/** A machine on which `programs` are there, and those of them run that are in `running`. */
function machine(
  environment: Surroundings['environment'],
  programs: readonly string[],
  running: readonly string[] = programs,
): Surroundings {
  return {
    environment,
    isProgram: (path) => programs.includes(path),
    runs: ({ executablePath }) => running.includes(executablePath),
    bundled: async () => (programs.includes(BUNDLED.executablePath) ? BUNDLED : 'none'),
  };
}

async function foundOn(...args: Parameters<typeof machine>): Promise<string> {
  const found = await findBrowser(machine(...args));
  return found === 'none' ? found : found.executablePath;
}

test('the browser that CHROMIUM names comes before all, or is refused by name', async () => {
  const environment = { CHROMIUM: '/opt/chrome', PATH: '/bin' };
  const all = ['/opt/chrome', '/bin/chromium', '/npm/chromium'];
  assert.equal(await foundOn(environment, all), '/opt/chrome');
  await assert.rejects(
    foundOn(environment, all, ['/bin/chromium']),
    /CHROMIUM names \/opt\/chrome/,
  );
});

test('the one of the system comes before the one that npm brings', async () => {
  const all = ['/sbin/chromium', '/bin/google-chrome', '/npm/chromium'];
  assert.equal(await foundOn({ PATH: '/bin:/sbin' }, all), '/bin/google-chrome');
  assert.equal(await foundOn({ PATH: '/bin' }, ['/npm/chromium']), '/npm/chromium');
});

test('one that is there and does not run is passed over', async () => {
  const all = ['/bin/chromium-browser', '/sbin/chromium', '/npm/chromium'];
  const environment = { CHROMIUM: '', PATH: '/bin:/sbin' };
  assert.equal(await foundOn(environment, all, all.slice(1)), '/sbin/chromium');
  assert.equal(await foundOn(environment, all, all.slice(2)), '/npm/chromium');
  assert.equal(await foundOn(environment, all, []), 'none');
});

test('the one that npm brings is started with its own libraries and fonts', async () => {
  assert.deepEqual(await findBrowser(machine({}, ['/npm/chromium'])), BUNDLED);
});
