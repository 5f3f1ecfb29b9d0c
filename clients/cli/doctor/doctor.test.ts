import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withServer } from '../prompt/lab-for-prompts.fixture.ts';
import { checkLines } from './check.ts';
import {
  checkBrowser,
  checkConfig,
  checkFolders,
  checkNode,
  checkPackage,
  packageFolder,
} from './local-checks.ts';
import { checkPort, checkReach, checkServer } from './server-checks.ts';

const host = '127.0.0.1';
const folder = (): string => mkdtempSync(join(tmpdir(), 'mmrace-doctor-'));

test('node: new enough, or what to install', () => {
  assert.equal(checkNode('22.18.0').outcome, 'ok');
  assert.equal(checkNode('26.1.0').outcome, 'ok');
  for (const version of ['20.19.5', '22.17.9']) {
    const { outcome, remedy } = checkNode(version);
    assert.equal(outcome, 'not ok');
    assert.match(remedy, /Install Node 22\.18/);
  }
});

test('package: all there, or what is missing', () => {
  assert.equal(checkPackage(packageFolder()).outcome, 'ok');
  const lacking = folder();
  writeFileSync(
    join(lacking, 'package.json'),
    JSON.stringify({ version: '1.0.0', dependencies: { 'no-such-package-of-mmrace': '1' } }),
  );
  const { outcome, text, remedy } = checkPackage(lacking);
  assert.deepEqual([outcome, text], ['not ok', 'missing: no-such-package-of-mmrace']);
  assert.match(remedy, /npm ci/);
});

test('config: nothing, what it sets, or what is wrong with it', async () => {
  const place = folder();
  assert.equal((await checkConfig(place)).outcome, 'skipped');
  writeFileSync(join(place, 'mmrace.json'), '{"port": 1}');
  assert.match((await checkConfig(place)).text, /sets port$/);
  writeFileSync(join(place, 'mmrace.json'), '{"prot": 1}');
  assert.match((await checkConfig(place)).text, /did you mean "port"/);
});

test('port: free, taken by a server of ours, or taken by something else', async () => {
  await withServer(async ({ port }) => {
    assert.match((await checkPort({ host, port })).text, /is taken by mmrace /);
  });
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen(0, host, resolve));
  const { port } = other.address() as AddressInfo;
  const taken = await checkPort({ host, port });
  assert.deepEqual(
    [taken.outcome, taken.text],
    ['not ok', `${port} of ${host} is in use by something else`],
  );
  await new Promise((resolve) => other.close(resolve));
  assert.equal((await checkPort({ host, port })).outcome, 'ok');
  const [settings] = await checkServer({ MMRACE_PORT: 'x' });
  assert.match(settings?.text ?? '', /^MMRACE_PORT: expected a whole number/);
});

test('server: answers, is not wanted, or is missing where the settings say it is', async () => {
  await withServer(async ({ webSocketUrl, model }) => {
    const same = await checkReach(webSocketUrl, 'asked', () => model.hash);
    assert.match(same.text, /answers: mmrace\.v1, mmrace .*, the same kernel as here$/);
    const other = await checkReach(webSocketUrl, 'asked', () => 'x');
    assert.match(other.text, /another kernel model than here$/);
  });
  const nobody = 'ws://127.0.0.1:1/ws';
  assert.equal((await checkReach(nobody, 'default', () => '')).outcome, 'skipped');
  assert.equal((await checkReach(nobody, 'asked', () => '')).outcome, 'not ok');
});

test('browser: the first that is on the PATH, or which to install', () => {
  const place = folder();
  assert.match(checkBrowser({ PATH: place }).remedy, /apt-get install chromium/);
  writeFileSync(join(place, 'firefox'), '');
  assert.equal(checkBrowser({ PATH: place }).outcome, 'not ok');
  chmodSync(join(place, 'firefox'), 0o755);
  assert.equal(checkBrowser({ PATH: `/nowhere:${place}` }).text, join(place, 'firefox'));
});

test('folders: writable, or why not', () => {
  const place = folder();
  assert.equal(checkFolders(place, { XDG_STATE_HOME: place }).outcome, 'ok');
  assert.equal(checkFolders(join(place, 'nowhere'), { XDG_STATE_HOME: place }).outcome, 'not ok');
});

test('a line says what was found, and below it what to do', () => {
  assert.equal(
    checkLines({ name: 'node', outcome: 'not ok', text: 'too old', remedy: 'Install another.' }),
    'not ok   node       too old\n                    Install another.',
  );
});
