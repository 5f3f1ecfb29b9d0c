/**
 * `npm run screenshots [-- FOLDER]`: pictures of every view, light and dark, for a desk, a projector and a phone, into
 * FOLDER (`screenshots` unless said).
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { DESK, openPage, type PageUnderTest, PHONE, PROJECTOR } from './page-under-test.ts';
import { gather, goOnAndRead, holdAndRead } from './play-seed-race.ts';
import { appears } from './seen.ts';

const PATCH = 'remove-second-invalidate';
/** Milliseconds for what fades to have faded. */
const SETTLE_MS = 1_100;
const THEMES = ['light', 'dark'] as const;
const folder = process.argv[2] ?? 'screenshots';

async function shoot(page: Page, name: string): Promise<void> {
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    await page.waitForTimeout(SETTLE_MS / 4);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  }
}

async function shootLab(under: PageUnderTest): Promise<void> {
  const players = await gather(under, PATCH, DESK);
  const { presenter, ana, bob } = players;
  await shoot(presenter, 'join-panel');
  await holdAndRead(players);
  await presenter.waitForTimeout(SETTLE_MS);
  await shoot(presenter, 'lab-held');
  await shoot(ana, 'device-held-phone');
  await goOnAndRead(players);
  await appears(presenter.locator('.explain'));
  await presenter.waitForTimeout(SETTLE_MS);
  await shoot(presenter, 'explain');
  await shoot(bob, 'device-stale-phone');
  await presenter.getByRole('button', { name: 'Close', exact: true }).click();
  await shoot(presenter, 'lab');
  await presenter.getByRole('button', { name: '❚❚ Pause' }).click();
  await bob.getByRole('button', { name: 'Write' }).click();
  await appears(presenter.getByText('Who goes next'));
  await shoot(presenter, 'lab-paused');
  await presenter.getByRole('button', { name: '▶ Resume' }).click();
  await presenter.getByRole('tab', { name: 'Signs' }).click();
  await presenter.setViewportSize(PROJECTOR);
  await presenter.keyboard.press('b');
  await presenter.waitForTimeout(SETTLE_MS);
  await shoot(presenter, 'lab-projector');
  await presenter.keyboard.press('e');
  await appears(presenter.locator('.explain'));
  await presenter.waitForTimeout(SETTLE_MS);
  await shoot(presenter, 'explain-projector');
  await presenter.setViewportSize(PHONE);
  await presenter.keyboard.press('b');
  await presenter.waitForTimeout(SETTLE_MS);
  await shoot(presenter, 'explain-phone');
  await presenter.keyboard.press('Escape');
  await shoot(presenter, 'lab-phone');
}

async function shootRun(under: PageUnderTest): Promise<void> {
  const page = await under.open(`/explore?scenario=seed-zero-page&patch=${PATCH}`);
  await appears(page.getByRole('button', { name: 'Explore', exact: true }));
  await shoot(page, 'explore');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByTestId('verdict'));
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'run');
  await page.setViewportSize(PROJECTOR);
  await page.keyboard.press('b');
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'run-projector');
}

async function shootSimple(under: PageUnderTest): Promise<void> {
  const page = await under.open('/');
  await appears(page.getByText('Labs of this server'));
  await page.waitForTimeout(SETTLE_MS / 2);
  await shoot(page, 'home');
  await page.keyboard.press('?');
  await shoot(page, 'keys');
  const phone = await under.open('/', PHONE);
  await phone.waitForTimeout(SETTLE_MS / 2);
  await shoot(phone, 'home-phone');
  const code = under.server.labs.all().at(-1)?.joinCode ?? 'demo';
  const join = await under.open(`/join/${code}`, PHONE);
  await appears(join.getByText('Be a device'));
  await shoot(join, 'join-phone');
  const cpu = await under.open('/lab/demo/cpu/cpu7', PHONE);
  await appears(cpu.getByText('● connected'));
  await cpu.getByRole('button', { name: 'Map 8 pages' }).click();
  await cpu.getByRole('button', { name: /^Store/ }).click();
  await cpu.waitForTimeout(SETTLE_MS);
  await shoot(cpu, 'cpu-phone');
  const lost = await under.open('/lab/nothing-here/device/x', PHONE);
  await lost.waitForTimeout(SETTLE_MS);
  await shoot(lost, 'no-lab-phone');
}

mkdirSync(folder, { recursive: true });
const under = await openPage({ unknownLabs: 'refused' });
try {
  await shootLab(under);
  await shootRun(under);
  await shootSimple(under);
} finally {
  await under.end();
}
process.stdout.write(`${resolve(folder)}: ${readdirSync(folder).length} pictures\n`);
for (const complaint of under.complaints) process.stderr.write(`${complaint}\n`);
