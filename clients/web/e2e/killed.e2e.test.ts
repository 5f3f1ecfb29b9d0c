/** The server is killed (SIGKILL) under a phone and a stage, with a recording of the lab and without. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { MortalServer } from '../../../server/app/mortal-server.fixture.ts';
import type { NewLabAnswer } from '../../../server/protocol/http-api.ts';
import { ensurePage } from '../build/ensure-page.ts';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { type LaunchedBrowser, launchBrowser, PHONE } from './page-under-test.ts';
import { appears, disappears, PATIENCE_MS } from './seen.ts';

let launched: LaunchedBrowser;
let folder: string;

before(async () => {
  if (!A_BROWSER_RUNS) return;
  await ensurePage();
  folder = mkdtempSync(join(tmpdir(), 'mmrace-killed-'));
  launched = await launchBrowser();
});
after(async () => {
  if (!A_BROWSER_RUNS) return;
  await launched.close();
  rmSync(folder, { recursive: true });
});

interface Room {
  readonly phone: Page;
  readonly stage: Page;
}

/** A lab from the scenario, in which a phone has written 0x2a into its own memory. */
async function roomWithAWrite(server: MortalServer): Promise<Room> {
  const response = await fetch(`${server.url}/api/labs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: 'seed-zero-page' }),
  });
  const { lab } = (await response.json()) as NewLabAnswer;
  const stage = await opened(`${server.url}/lab/${lab.name}/stage`);
  const phone = await opened(`${server.url}/join/${lab.code}`);
  await phone.getByRole('button', { name: 'Be a device' }).click();
  await appears(phone.getByText('● connected'));
  await phone.getByText('Something else…').click();
  await phone.getByRole('button', { name: 'Migrate here' }).click();
  await appears(phone.getByTestId('result').getByText(/^migrate.*here: 0x0/));
  await phone.getByRole('button', { name: /^Write 0x2a/ }).click();
  await appears(phone.getByTestId('my-entry').getByText('0x2a'));
  await appears(stage.getByText('0x2a'));
  return { phone, stage };
}

async function opened(address: string): Promise<Page> {
  const context = await launched.browser.newContext({ viewport: PHONE, reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

test('with a recording the same session goes on, and the device has in its memory what it had', async () => {
  const server = new MortalServer({ directory: folder });
  await server.start('none');
  const { phone, stage } = await roomWithAWrite(server);
  await server.kill();
  await appears(phone.getByText(/connection lost|no connection/));
  await appears(stage.getByText(/as of \d+ s ago/));
  await appears(stage.locator('.not-live .memory'));
  await server.start('none');
  await appears(phone.getByText('● connected'));
  await appears(phone.getByTestId('my-entry').getByText('0x2a'));
  await phone.getByRole('button', { name: 'Read', exact: true }).last().click();
  await appears(phone.getByTestId('result').getByText('0x2a'));
  await disappears(stage.locator('.not-live'));
  await appears(stage.getByText('0x2a'));
  await server.terminate();
});

test('without one every screen says that the lab is not known any more, in words, with a way on', async () => {
  const server = new MortalServer({});
  await server.start('none');
  const { phone, stage } = await roomWithAWrite(server);
  await server.kill();
  await server.start('none');
  for (const page of [phone, stage]) {
    await appears(page.getByText('This server does not know the lab any more'));
    const words = (await page.locator('main').textContent()) ?? '';
    assert.doesNotMatch(words, /GET|POST|\/api|params|schema/);
  }
  await phone.getByRole('button', { name: 'Make a lab of this name' }).click();
  await appears(phone.getByText('Who goes next'));
  await server.terminate();
});
