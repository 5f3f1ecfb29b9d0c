/** A server with a token: its owner opens labs, and a room comes in by code and sees nothing else. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';
import { appears } from './seen.ts';

const TOKEN = 'a-token-of-this-server';
const folder = mkdtempSync(join(tmpdir(), 'mmrace-token-'));
let under: PageUnderTest;

before(async () => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  if (A_BROWSER_RUNS) under = await openPage({ tokenFile });
});
after(async () => {
  await under?.end();
  rmSync(folder, { recursive: true });
});
afterEach(() => under?.closeAll());

/** What the console says of what strangers are refused is meant. */
function complaints(): readonly string[] {
  return under.complaints.filter((text) => !text.includes('401'));
}

function hashOf(page: Page): string {
  return new URL(page.url()).hash;
}

test('the owner opens a room with the token of the address; phones come in by code, strangers do not', async () => {
  const owner = await under.open(`/#token=${TOKEN}`);
  await appears(owner.locator('[data-lab=demo]'));
  assert.equal(hashOf(owner), '', 'the token does not stay in the bar');
  await owner.getByRole('button', { name: 'Play it in a room' }).click();
  await appears(owner.getByText('● connected'));
  const name = new URL(owner.url()).pathname.split('/')[2] ?? '';
  const lab = under.server.labs.find(name);
  assert.ok(lab !== 'none');
  await owner.reload();
  await appears(owner.getByText('● connected'));

  const phone = await under.open(`/join/${lab.joinCode}`, PHONE);
  await phone.getByRole('button', { name: 'Be a device' }).click();
  await appears(phone.getByText('● connected'));
  await phone.reload();
  await appears(phone.getByText('● connected'));
  assert.equal([...lab.actors.keys()].length, 1);

  const presenter = await under.open(`/lab/${name}/console#presenter=${lab.presenter.token}`);
  await appears(presenter.getByText('● connected'));
  assert.equal(hashOf(presenter), '');

  const stranger = await under.open('/');
  await appears(stranger.getByText('With a code you are in'));
  assert.equal(await stranger.getByText(lab.joinCode).count(), 0);
  await stranger.getByRole('button', { name: 'Play it in a room' }).click();
  await appears(stranger.getByRole('alert').getByText('The server has a token'));
  await stranger.goto(`${under.server.url}/lab/${name}/stage`);
  await appears(stranger.getByText('is joined by its code'));
  await stranger.getByLabel('Join code').first().fill(lab.joinCode);
  await stranger.getByRole('button', { name: 'Join' }).first().click();
  await stranger.getByRole('link', { name: 'Only watch' }).click();
  await appears(stranger.locator('main.stage-view:not(.not-live)'));
  assert.deepEqual(complaints(), []);
});
