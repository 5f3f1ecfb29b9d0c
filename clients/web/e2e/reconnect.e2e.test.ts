/** The page outlives a restart of the server, and says so. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE, PROJECTOR, type Size } from './page-under-test.ts';
import { appears, disappears } from './seen.ts';

interface MutePage {
  readonly page: Page;
  readonly mute: () => void;
}

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
  await appears(stage.getByText(/as of \d+ s ago/));
  await appears(device.getByText(/as of \d+ s ago/));
  assert.equal(await device.locator('[data-testid=turn]:enabled').count(), 0);
  for (const page of [device, stage]) await page.context().setOffline(false);
  await appears(device.getByText('● connected'));
  await appears(device.getByText('the same session goes on').first());
  for (const page of [device, stage]) await disappears(page.getByText(/as of \d+ s ago/));
});

/** Sockets of the page go mute, both ways, and the browser knows nothing of it: a WLAN out of reach. */
async function onMuteNetwork(address: string, size?: Size): Promise<MutePage> {
  const page = await under.open('/', size);
  let life: 'heard' | 'mute' = 'heard';
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      if (life === 'heard') server.send(message);
    });
    server.onMessage((message) => {
      if (life === 'heard') socket.send(message);
    });
  });
  await page.goto(under.server.url + address);
  return {
    page,
    mute: () => {
      life = 'mute';
    },
  };
}

const GREY = '.memory, .preview, .views, .own-cells';

test('a silent network greys the memory after three seconds, on every view, and says how old it is', async () => {
  await fetch(`${under.server.url}/api/labs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'mute', scenario: 'seed-zero-page' }),
  });
  const views = await Promise.all([
    onMuteNetwork('/lab/mute/stage', PROJECTOR),
    onMuteNetwork('/lab/mute/console'),
    onMuteNetwork('/lab/mute'),
    onMuteNetwork('/lab/mute/device/gpu1', PHONE),
  ]);
  for (const { page } of views) await appears(page.locator(GREY));
  for (const { page } of views) assert.equal(await page.getByText(/s ago/).count(), 0);
  for (const { mute } of views) mute();
  for (const { page } of views) {
    const text = await appears(page.getByText(/as of \d+ s ago/));
    assert.ok(Number(/\d+/.exec(text)?.[0]) >= 3, text);
    const filters = await page.locator(GREY).evaluateAll((all) => {
      return all.map((element) => getComputedStyle(element).filter);
    });
    assert.ok(filters.length > 0 && filters.every((filter) => filter === 'grayscale(1)'), text);
  }
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
