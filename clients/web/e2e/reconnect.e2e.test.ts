/** The page outlives a restart of the server, and says so. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';
import { appears } from './seen.ts';

let under: PageUnderTest;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage();
});
after(() => under?.end());

test('a restart of the server is seen, survived and told, by a watcher and by a device', async () => {
  const watcher = await under.open('/lab/demo');
  const device = await under.open('/lab/demo/device/gpu0', PHONE);
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
  const watcher = await under.open('/lab/demo');
  const device = await under.open('/lab/demo/device/gpu1', PHONE);
  await appears(device.getByText('● connected'));
  const card = watcher.locator('[data-actor=gpu1]');
  await card.getByText('More for gpu1').click();
  await card.getByRole('button', { name: 'Cut' }).click();
  await appears(device.getByText('the same session goes on').first());
  assert.equal(await device.getByText('● connected').count(), 1);
});

test('in a paused lab a task goes when it is told to, and only then', async () => {
  const presenter = await under.open('/lab/demo');
  const cpu = await under.open('/lab/demo/cpu/cpu0', PHONE);
  await appears(cpu.getByText('● connected'));
  await appears(presenter.locator('[data-actor=cpu0]'));
  await presenter.keyboard.press('p');
  await appears(presenter.getByText('❚❚ paused'));
  await cpu.getByRole('button', { name: 'Map 8 pages' }).click();
  await presenter.getByRole('button', { name: /^cpu0 goes next/ }).click();
  assert.match((await cpu.getByTestId('result').textContent()) ?? '', /under way/);
  await presenter.keyboard.press('p');
  await appears(cpu.getByTestId('result').getByText('done'));
});
