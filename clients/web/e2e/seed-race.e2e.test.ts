/** The race that mmrace began with, played by hand in the page: two devices and a presenter. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest } from './page-under-test.ts';
import { gather, goOnAndRead, holdAndRead } from './play-seed-race.ts';
import { appears } from './seen.ts';

const PATCH = 'remove-second-invalidate';
let under: PageUnderTest;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage();
});
after(() => under?.end());

test('with the patch the second device reads a stale zero, and the panel explains it', async () => {
  const players = await gather(under, PATCH);
  await holdAndRead(players);
  assert.equal(await goOnAndRead(players), '0x0');

  const { presenter, bob } = players;
  const panel = presenter.locator('.explain');
  await appears(panel);
  assert.match((await panel.textContent()) ?? '', /no invalidation of the page was sent/);
  assert.match((await panel.locator('pre').textContent()) ?? '', /<-- BUG/);
  await appears(bob.getByText('✕ STALE').first());

  // A step of the story is a moment, and the moment has an address.
  await panel
    .getByRole('button', { name: /mirror/ })
    .first()
    .click();
  assert.match(new URL(presenter.url()).search, /^\?event=\d+$/);
  await appears(presenter.getByText('◼ then'));
  assert.deepEqual(under.complaints, []);
});

test('without the patch the second device reads what was written, and nothing is violated', async () => {
  const players = await gather(under, 'stock');
  await holdAndRead(players);
  assert.equal(await goOnAndRead(players), '0x2a');

  const { presenter, bob } = players;
  assert.equal(await presenter.locator('.explain').count(), 0);
  assert.equal(await bob.getByText('✕ STALE').count(), 0);

  // Whoever only watches touches nothing: the lab is locked to its presenter from the beginning.
  const watcher = await under.open(new URL(presenter.url()).pathname);
  await appears(watcher.getByText('The presenter has locked the controls.'));
  assert.ok(await watcher.getByRole('button', { name: '❚❚ Pause' }).isDisabled());
  assert.deepEqual(under.complaints, []);
});
