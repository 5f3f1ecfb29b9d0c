/**
 * `npm run screenshots [-- FOLDER]`: pictures of the views, light and dark, into FOLDER (`docs/images` unless said).
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { openPage, type PageUnderTest, PHONE, type Size } from './page-under-test.ts';
import { gather, joinAsDevice, playCues, verdictOnStage } from './play-seed-race.ts';
import { appears } from './seen.ts';

const PATCH = 'remove-second-invalidate';
/** Milliseconds for events to have come; nothing moves. */
const SETTLE_MS = 800;
const THEMES = ['light', 'dark'] as const;
const WINDOW: Size = { width: 1_366, height: 768 };
const STAGE: Size = { width: 1_280, height: 720 };
const OLD_PROJECTOR: Size = { width: 1_024, height: 768 };
const UHD: Size = { width: 3_840, height: 2_160 };
const folder = process.argv[2] ?? 'docs/images';

async function shoot(page: Page, name: string, themes: readonly ('light' | 'dark')[] = THEMES) {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await page.waitForTimeout(SETTLE_MS / 4);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  }
}

async function shootHome(under: PageUnderTest): Promise<void> {
  const page = await under.open('/', WINDOW);
  await page.getByRole('button', { name: /^move/ }).click();
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'home-move', ['light']);
  await page.getByRole('button', { name: 'verdict' }).click();
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'home');
  await page.setViewportSize(PHONE);
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'home-phone', ['light']);
}

async function shootRoom(under: PageUnderTest): Promise<void> {
  const players = await gather(under, PATCH, { stage: STAGE, presenter: WINDOW });
  const { presenter, stage, mover, reader, code, lab } = players;
  const poster = await under.open(`/join/${code}`, PHONE);
  await appears(poster.getByText('Be a device'));
  await shoot(poster, 'join-phone', ['light']);
  for (let more = 0; more < 4; more += 1) await joinAsDevice(under, code);
  await playCues(players, 0, 3);
  await stage.waitForTimeout(SETTLE_MS);
  await shoot(stage, 'stage-cue');
  await shoot(presenter, 'console');
  await shoot(mover, 'phone-turn');
  await playCues(players, 3, 4);
  await stage.waitForTimeout(SETTLE_MS);
  await shoot(stage, 'stage-stale', ['light']);
  await playCues(players, 4);
  await verdictOnStage(players);
  await stage.waitForTimeout(SETTLE_MS);
  await shoot(stage, 'stage');
  await stage.setViewportSize(OLD_PROJECTOR);
  await stage.waitForTimeout(SETTLE_MS);
  await shoot(stage, 'stage-1024x768', ['light']);
  await stage.setViewportSize(UHD);
  await stage.waitForTimeout(SETTLE_MS);
  await shoot(stage, 'stage-4k', ['dark']);
  await stage.setViewportSize(STAGE);
  await shoot(reader, 'phone-wrong', ['light']);
  await presenter.getByRole('button', { name: 'Code, full screen' }).click();
  await appears(stage.getByText('Your phone'));
  await shoot(stage, 'stage-code', ['light']);
  const detail = await under.open(`/lab/${lab}`, WINDOW);
  await appears(detail.getByText('Who takes part'));
  await detail.waitForTimeout(SETTLE_MS);
  await shoot(detail, 'lab', ['light']);
}

async function shootRight(under: PageUnderTest): Promise<void> {
  const players = await gather(under, 'stock', { stage: STAGE });
  await playCues(players);
  await verdictOnStage(players);
  await players.stage.waitForTimeout(SETTLE_MS);
  await shoot(players.stage, 'stage-right', ['light']);
  await shoot(players.reader, 'phone-right', ['light']);
}

async function shootExplorer(under: PageUnderTest): Promise<void> {
  const page = await under.open(`/explore?scenario=seed-zero-page&patch=${PATCH}`, WINDOW);
  await appears(page.getByRole('button', { name: 'Explore', exact: true }));
  await shoot(page, 'explore');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByTestId('verdict'));
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'run');
  await page.getByRole('button', { name: 'Beside the stock kernel' }).click();
  await appears(page.getByLabel('Step of both'));
  await shoot(page, 'beside', ['light']);
}

async function shootGame(under: PageUnderTest): Promise<void> {
  const page = await under.open('/break/seed-zero-page', WINDOW);
  await appears(page.getByTestId('ways-left').getByText('left to break it'));
  await shoot(page, 'break');
  while ((await page.getByTestId('break-end').count()) === 0) {
    await appears(page.getByTestId('ways-left').getByText('left to break it'));
    await page.getByRole('button', { name: 'Hint' }).click();
    const hint = await appears(page.locator('.break-foot [role=status]').getByText('go next'));
    const [, actor = ''] = /Let (\S+) go next/.exec(hint) ?? [];
    await page.locator(`.break-choices [data-actor=${actor}]`).click();
  }
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, 'break-won', ['light']);
}

mkdirSync(folder, { recursive: true });
const under = await openPage();
try {
  for (const shooting of [shootHome, shootExplorer, shootGame, shootRight, shootRoom]) {
    await shooting(under);
    await under.closeAll();
  }
} finally {
  await under.end();
}
process.stdout.write(`${resolve(folder)}: ${readdirSync(folder).length} pictures\n`);
for (const complaint of under.complaints) process.stderr.write(`${complaint}\n`);
