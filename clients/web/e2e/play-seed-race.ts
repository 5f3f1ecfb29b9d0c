/** The seed race, played by hand in the page: whoever presents, and two devices on phones. */
import type { Page } from 'playwright-core';
import { type PageUnderTest, PHONE, type Size } from './page-under-test.ts';
import { appears, disappears } from './seen.ts';

export interface SeedRacePlayers {
  readonly presenter: Page;
  readonly ana: Page;
  readonly bob: Page;
}

/** A lab from the scenario with the kernel `patch`, opened in the page. Returns its join code. */
export async function openSeedLab(
  under: PageUnderTest,
  presenter: Page,
  patch: string,
): Promise<string> {
  await presenter.goto(under.server.url);
  await presenter.getByLabel('Begin with').selectOption('seed-zero-page');
  await presenter.getByLabel('Kernel').selectOption(patch);
  await presenter.getByRole('button', { name: 'Open the lab' }).click();
  await presenter.getByRole('tab', { name: 'Join' }).click();
  return (await presenter.getByTestId('join-code').textContent()) ?? '';
}

export async function joinAsDevice(
  under: PageUnderTest,
  code: string,
  name: string,
  size: Size = PHONE,
): Promise<Page> {
  const page = await under.open('/', size);
  await page.getByLabel('Join code').fill(code.toLowerCase());
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.getByLabel('Your name in the lab').fill(name);
  await page.getByRole('button', { name: 'Be a device' }).click();
  await appears(page.getByText('● connected'));
  return page;
}

/** Opens the lab and lets both devices join. */
export async function gather(
  under: PageUnderTest,
  patch: string,
  size?: Size,
): Promise<SeedRacePlayers> {
  const presenter = await under.open('/', size);
  const code = await openSeedLab(under, presenter, patch);
  const ana = await joinAsDevice(under, code, 'ana');
  const bob = await joinAsDevice(under, code, 'bob');
  return { presenter, ana, bob };
}

/** Until ana stands after her setup and bob has mapped the zero page. */
export async function holdAndRead({ presenter, ana, bob }: SeedRacePlayers): Promise<void> {
  await presenter.getByRole('tab', { name: 'Drive' }).click();
  const card = presenter.locator('[data-actor=ana]');
  await card.getByLabel('Hold ana after').selectOption('migrate_vma_setup');
  await card.getByRole('button', { name: 'Hold after it' }).click();
  await ana.getByRole('button', { name: 'Migrate here' }).click();
  await appears(ana.getByText('❚❚ held'));
  await bob.getByRole('button', { name: 'Read' }).click();
  await value(bob);
}

/** Ana goes on and writes. Returns what bob reads then. */
export async function goOnAndRead({ presenter, ana, bob }: SeedRacePlayers): Promise<string> {
  const card = presenter.locator('[data-actor=ana]');
  await card.getByRole('button', { name: 'Go', exact: true }).click();
  await appears(ana.getByTestId('result').getByText('migrate'));
  await ana.getByRole('button', { name: /^Write 0x2a/ }).click();
  await appears(ana.getByTestId('result').getByText('done'));
  await bob.getByRole('button', { name: 'Read' }).click();
  await disappears(bob.getByTestId('result').getByText('under way'));
  return value(bob);
}

async function value(page: Page): Promise<string> {
  const shown = page.getByTestId('result').getByText(/^0x/);
  await appears(shown);
  return (await shown.textContent()) ?? '';
}
