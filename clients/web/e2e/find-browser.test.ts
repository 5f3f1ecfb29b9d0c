import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBrowser } from './find-browser.ts';

const NOTHING = {
  environment: { PATH: '/nowhere' },
  isRoot: () => false,
  install: async () => {},
  isProgram: () => false,
};

test('the browser that CHROMIUM names is taken, or refused by name', async () => {
  const environment = { CHROMIUM: '/opt/chrome', PATH: '/nowhere' };
  const isProgram = (path: string) => path === '/opt/chrome';
  assert.equal(await findBrowser({ ...NOTHING, environment, isProgram }), '/opt/chrome');
  await assert.rejects(findBrowser({ ...NOTHING, environment }), /CHROMIUM names \/opt\/chrome/);
});

test('without a browser and without the right to install one, the tests fail with the command to run', async () => {
  await assert.rejects(findBrowser(NOTHING), /apt-get install chromium/);
});

test('root installs one, once, and fails if it still is not there', async () => {
  let installed = 0;
  const root = {
    ...NOTHING,
    isRoot: () => true,
    install: async () => {
      installed += 1;
    },
  };
  const there = {
    ...root,
    isProgram: (path: string) => installed > 0 && path === '/usr/bin/chromium',
  };
  assert.equal(await findBrowser(there), '/usr/bin/chromium');
  assert.equal(installed, 1);
  await assert.rejects(findBrowser(root), /apt-get install chromium/);
});
