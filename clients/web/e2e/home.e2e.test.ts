/** The home page is the argument, and the game is the machine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test as nodeTest } from 'node:test';
import { beatsOf } from '../home/beats.ts';
import type { RecordedRace } from '../home/recorded-race.ts';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest } from './page-under-test.ts';
import { recordSeedRace, SEED_RACE_FILE } from './seed-race-recording.ts';
import { appears } from './seen.ts';

/** Milliseconds of one round. */
const LOOP_MS_MAX = 15_000;
let under: PageUnderTest;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage();
});
after(() => under?.end());
afterEach(() => under?.closeAll());

function recorded(): RecordedRace {
  return JSON.parse(readFileSync(new URL(SEED_RACE_FILE, import.meta.url), 'utf8'));
}

nodeTest('what the home page plays is what a server does today, event by event', async () => {
  assert.deepEqual(recorded(), JSON.parse(JSON.stringify(await recordSeedRace())));
});

nodeTest(
  'it ends right on stock and wrong with the patch, and a round takes less than 15 s',
  () => {
    const beats = beatsOf(recorded());
    const last = beats.at(-1);
    assert.ok(
      last !== undefined && last.stock.verdict !== 'none' && last.patched.verdict !== 'none',
    );
    assert.deepEqual([last.stock.verdict.is, last.stock.verdict.read], ['right', '0x2a']);
    assert.deepEqual([last.patched.verdict.is, last.patched.verdict.read], ['wrong', '0x0']);
    assert.ok(beats.slice(0, -1).every(({ patched }) => patched.verdict === 'none'));
    assert.ok(beats.reduce((sum, { ms }) => sum + ms, 0) < LOOP_MS_MAX);
  },
);

test('it plays by itself, stands when told to, and leads on', async () => {
  const page = await under.open('/');
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await page.reload();
  await appears(page.getByText('1/8'));
  await appears(page.getByText('2/8'));
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'verdict' }).click();
  assert.deepEqual(await page.locator('.kernel output').allTextContents(), ['0x2a', '0x0']);
  for (const way of [
    'Play it in a room',
    'Step through it',
    'Try to break it',
    'Ask about a patch',
  ])
    await appears(page.getByText(way));
  assert.deepEqual(under.complaints, []);
});

test('the game is won in par by its own hints, and its link shows the end', async () => {
  const page = await under.open('/break/seed-zero-page');
  const ways = page.getByTestId('ways-left');
  while ((await page.getByTestId('break-end').count()) === 0) {
    await appears(ways.getByText('left to break it'));
    await page.getByRole('button', { name: 'Hint' }).click();
    const hint = await appears(page.locator('.break-foot [role=status]').getByText('go next'));
    const [, actor = ''] = /Let (\S+) go next/.exec(hint) ?? [];
    await page.locator(`.break-choices [data-actor=${actor}]`).click();
  }
  const end = await appears(page.getByTestId('break-end').getByText('Broken in 4 switches'));
  assert.match(end, /the minimum/);
  const other = await under.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await appears(other.getByText('Broken in 4 switches'));
  assert.deepEqual(under.complaints, []);
});

test('the steps of both kernels stand beside each other, and part where the patch is', async () => {
  const page = await under.open('/step/seed-zero-page');
  await appears(page.locator('.both-steps li').first());
  await page.keyboard.press('End');
  await appears(page.getByText(/^Broken: OR1/));
  assert.ok((await page.locator('.wrong-words').count()) > 0);
  assert.equal(await page.locator('.kernel-words.wrong').count(), 1);
  assert.deepEqual(under.complaints, []);
});
