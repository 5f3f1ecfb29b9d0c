/** The page outlives a restart of the server, and says so. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';

let under: PageUnderTest;

before(async () => {
  under = await openPage();
});
after(() => under.end());

test('a restart of the server is seen, survived and told, by a watcher and by a device', async () => {
  const watcher = await under.open('/lab/demo');
  const device = await under.open('/lab/demo/device/gpu0', PHONE);
  await watcher.getByText('● connected').waitFor();
  await device.getByText('● connected').waitFor();
  await watcher.locator('[data-actor=gpu0]').waitFor();

  await under.restartServer();
  for (const page of [watcher, device]) {
    await page.getByText('Connected again').first().waitFor();
    await page.getByText('● connected').waitFor();
  }
  await watcher.locator('[data-actor=gpu0]').waitFor();
});

test('a connection that is cut is resumed in the same session', async () => {
  const watcher = await under.open('/lab/demo');
  const device = await under.open('/lab/demo/device/gpu1', PHONE);
  await device.getByText('● connected').waitFor();
  const card = watcher.locator('[data-actor=gpu1]');
  await card.getByText('More for gpu1').click();
  await card.getByRole('button', { name: 'Cut' }).click();
  await device.getByText('the same session goes on').first().waitFor();
  assert.equal(await device.getByText('● connected').count(), 1);
});
