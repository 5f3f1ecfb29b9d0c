/** The page outlives a restart of the server, and says so. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';
import { appears, disappears } from './seen.ts';

let under: PageUnderTest;
let watcher: Page;
let device: Page;

before(async () => {
  if (!A_BROWSER_RUNS) return;
  under = await openPage();
  watcher = await under.open('/lab/demo');
  device = await under.open('/lab/demo/device/gpu0', PHONE);
});
after(() => under?.end());

test('a restart of the server is seen, survived and told, by a watcher and by a device', async () => {
  await appears(watcher.getByText('● connected'));
  await appears(device.getByText('● connected'));
  await appears(watcher.locator('[data-actor=gpu0]'));

  await under.restartServer();
  for (const page of [watcher, device]) {
    await appears(page.getByText('Connected again').first());
    await appears(page.getByText('● connected'));
  }
  await appears(watcher.locator('[data-actor=gpu0]'));
});

test('a connection that is cut is resumed in the same session', async () => {
  const card = watcher.locator('[data-actor=gpu0]');
  await card.getByText('More for gpu0').click();
  await card.getByRole('button', { name: 'Cut' }).click();
  await appears(device.getByText('the same session goes on').first());
  assert.equal(await device.getByText('● connected').count(), 1);
});

test('a network that dies looks dead at once, and the same session goes on when it is back', async () => {
  const stage = await under.open('/lab/demo/stage');
  await appears(stage.getByText(/here/));
  for (const page of [device, stage]) await page.context().setOffline(true);
  await appears(device.getByText(/connection lost|no connection/));
  await appears(stage.getByText(/not live for \d+ s/));
  assert.equal(await device.locator('[data-testid=turn]:enabled').count(), 0);
  for (const page of [device, stage]) await page.context().setOffline(false);
  await appears(device.getByText('● connected'));
  await appears(device.getByText('the same session goes on').first());
  await disappears(stage.getByText(/not live/));
});

test('in a paused lab a task goes when it is told to, and only then', async () => {
  const cpu = await under.open('/lab/demo/cpu/cpu0', PHONE);
  await appears(cpu.getByText('● connected'));
  await appears(watcher.locator('[data-actor=cpu0]'));
  await watcher.keyboard.press('p');
  await appears(watcher.getByText('❚❚ paused'));
  await cpu.getByRole('button', { name: 'Map 8 pages' }).click();
  await watcher.getByRole('button', { name: /^cpu0 goes next/ }).click();
  assert.match((await cpu.getByTestId('result').textContent()) ?? '', /under way/);
  await watcher.keyboard.press('p');
  await appears(cpu.getByTestId('result').getByText('done'));
});
