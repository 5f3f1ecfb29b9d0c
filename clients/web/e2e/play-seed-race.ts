/** The seed race, led by its run sheet in the page: the presenter, the stage, and two devices on phones. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { NewLabAnswer } from '../../../server/protocol/http-api.ts';
import { type PageUnderTest, PHONE, PROJECTOR, type Size } from './page-under-test.ts';
import { appears, disappears } from './seen.ts';

export interface SeedRacePlayers extends OpenedLab {
  readonly presenter: Page;
  readonly stage: Page;
  /** Who moves the page, and who reads it. */
  readonly mover: Page;
  readonly reader: Page;
}

export interface OpenedLab {
  readonly lab: string;
  readonly code: string;
}

/** A lab from the scenario, with no window of the presenter. */
export async function requestSeedLab(under: PageUnderTest, patch = 'stock'): Promise<OpenedLab> {
  const response = await fetch(`${under.server.url}/api/labs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: 'seed-zero-page', patch }),
  });
  const { lab } = (await response.json()) as NewLabAnswer;
  return { lab: lab.name, code: lab.code };
}

/** A lab from the scenario with the kernel `patch`, as the form of the home page asks for it. */
async function openSeedLab(presenter: Page, patch: string): Promise<OpenedLab> {
  await presenter.locator('.labs-here').getByLabel('Begin with').selectOption('seed-zero-page');
  await presenter.locator('.labs-here').getByLabel('Kernel').selectOption(patch);
  await presenter.getByRole('button', { name: 'Open the lab' }).click();
  await appears(presenter.getByText('Who goes next'));
  const [, , lab = ''] = new URL(presenter.url()).pathname.split('/');
  return { lab, code: (await presenter.locator('.top .code').textContent()) ?? '' };
}

/** As the QR code leads: one tap, and the lab says under which name. */
export function joinAsDevice(under: PageUnderTest, code: string): Promise<Page> {
  return joinBy(under, code, 'Be a device');
}

/** A phone that joins by the button of these words. */
export async function joinBy(under: PageUnderTest, code: string, words: string): Promise<Page> {
  const page = await under.open(`/join/${code}`, PHONE);
  await page.getByRole('button', { name: words }).click();
  await appears(page.getByText('● connected'));
  return page;
}

/** Opens the lab and its stage, and lets both devices join. */
export async function gather(
  under: PageUnderTest,
  patch: string,
  sizes: { readonly stage?: Size; readonly presenter?: Size } = {},
): Promise<SeedRacePlayers> {
  const presenter = await under.open('/', sizes.presenter);
  const { lab, code } = await openSeedLab(presenter, patch);
  const stage = await under.open(`/lab/${lab}/stage`, sizes.stage ?? PROJECTOR);
  await appears(stage.getByText('Your phone'));
  const mover = await joinAsDevice(under, code);
  const reader = await joinAsDevice(under, code);
  return { presenter, stage, mover, reader, lab, code };
}

/** The cues of the sheet, in order: whose, and what stands on the button. */
export const CUES = [
  ['reader', 'Read'],
  ['mover', 'Begin to migrate'],
  ['reader', 'Read again'],
  ['mover', 'Move the page'],
  ['mover', 'Write 0x2a'],
  ['reader', 'Read'],
] as const;

/** The one big button of whose turn it is, cue by cue; `from` and `to` count from 0. */
export async function playCues(
  players: SeedRacePlayers,
  from = 0,
  to: number = CUES.length,
): Promise<void> {
  for (const [role, words] of CUES.slice(from, to)) {
    const button = players[role].getByTestId('turn');
    await appears(button.getByText(words, { exact: true }));
    await button.click();
    await disappears(players[role].locator('[data-testid=turn]:disabled'));
  }
}

/** The line across the stage: what was written, and what was read. */
export async function verdictOnStage({ stage }: SeedRacePlayers): Promise<{
  readonly wrote: string;
  readonly read: string;
  readonly is: 'right' | 'wrong';
}> {
  const line = stage.getByTestId('verdict-line');
  await appears(line);
  const [wrote = '', read = ''] = await line.locator('output').allTextContents();
  const is = (await line.getAttribute('class'))?.includes('wrong') ? 'wrong' : 'right';
  assert.ok(wrote !== '' && read !== '');
  return { wrote, read, is };
}
