/** The race that mmrace began with, led by its run sheet: a stage, a console, and phones. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, type Size } from './page-under-test.ts';
import { gather, playCues, type SeedRacePlayers, verdictOnStage } from './play-seed-race.ts';
import { appears, disappears } from './seen.ts';

const PATCH = 'remove-second-invalidate';
const SIZES: readonly Size[] = [
  { width: 1_024, height: 768 },
  { width: 1_280, height: 720 },
  { width: 1_920, height: 1_080 },
];
let under: PageUnderTest;
let players: SeedRacePlayers;

before(async () => {
  if (!A_BROWSER_RUNS) return;
  under = await openPage();
  players = await gather(under, PATCH);
});
after(() => under?.end());

/** At no size is anything of the stage cut off, and nothing scrolls. */
async function fits(stage: Page): Promise<void> {
  for (const size of SIZES) {
    await stage.setViewportSize(size);
    assert.equal(await cutOff(stage), '', `at ${size.width}x${size.height}`);
  }
}

function cutOff(stage: Page): Promise<string> {
  return stage.evaluate(async () => {
    // It is drawn anew in the frame after the one that changes its size.
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (scrollWidth > innerWidth || scrollHeight > innerHeight) {
      return `${scrollWidth}x${scrollHeight} in ${innerWidth}x${innerHeight}`;
    }
    const out = [...document.querySelectorAll('.stage-view header, .stage-view footer, .picture')]
      .map((element) => ({
        name: element.classList[0] ?? element.tagName,
        box: element.getBoundingClientRect(),
      }))
      .filter(({ box }) => box.bottom > innerHeight + 1 || box.right > innerWidth + 1);
    return out.map(({ name }) => `${name} is cut off`).join(', ');
  });
}

test('with the patch the whole room sees both values, on old projectors and on new ones', async () => {
  const { stage, reader } = players;
  await playCues(players, 0, 5);
  assert.equal(await stage.getByTestId('verdict-line').count(), 0, 'not before the read');
  await fits(stage);
  await playCues(players, 5);
  assert.deepEqual(await verdictOnStage(players), { wrote: '0x2a', read: '0x0', is: 'wrong' });
  await appears(stage.getByText('STALE'));
  await fits(stage);
  const outcome = await appears(reader.getByTestId('outcome'));
  assert.match(outcome, /0x0.*wrote 0x2a.*nobody told you/);
  assert.deepEqual(under.complaints, []);
});

test('before the wrong read nothing is loud or opens; then it is explained in words, beside the controls', async () => {
  const { presenter, stage, lab } = players;
  await presenter.getByRole('button', { name: 'Undo' }).click();
  await disappears(stage.getByTestId('verdict-line'));
  const watcher = await under.open(`/lab/${lab}`);
  await appears(watcher.getByText('broken, nobody harmed'));
  assert.equal(await watcher.locator('.explain').count(), 0);
  await playCues(players, 5);
  await appears(watcher.getByRole('button', { name: /2 wrong/ }));
  assert.equal(await watcher.locator('.explain').count(), 0, 'not by itself');
  await watcher.keyboard.press('e');
  const told = await appears(watcher.locator('.explain'));
  const [inWords, id] = [told.indexOf('read a value'), told.indexOf('OR3')];
  assert.ok(inWords >= 0 && id > inWords, 'plain words before rule ids');
  assert.match((await watcher.locator('.explain pre').textContent()) ?? '', /0x2a.*0x0/s);
  const boxes = await Promise.all(
    ['.top', '.side', '.views', '.explain'].map((part) => watcher.locator(part).boundingBox()),
  );
  for (const [at, box] of boxes.slice(0, -1).entries()) {
    const panel = boxes.at(-1);
    assert.ok(box && panel);
    const isBeside = box.x + box.width <= panel.x + 1 || box.y + box.height <= panel.y + 1;
    assert.ok(isBeside, `it covers part ${at}`);
  }
  assert.deepEqual(under.complaints, []);
});

test('the presenter takes the read back, and the same phone reads the same again', async () => {
  const { presenter, stage, reader } = players;
  // What it was it takes along.
  await reader.reload();
  await reader.getByTestId('outcome').getByRole('button', { name: 'Close' }).click();
  await appears(reader.getByText('● connected'));
  await presenter.getByRole('button', { name: 'Undo' }).click();
  await disappears(stage.getByTestId('verdict-line'));
  await disappears(reader.getByTestId('outcome'));
  await appears(reader.getByTestId('my-entry').getByText('0x0'));
  await playCues(players, 5);
  assert.deepEqual(await verdictOnStage(players), { wrote: '0x2a', read: '0x0', is: 'wrong' });
  assert.deepEqual(under.complaints, []);
});

test('the presenter calls a phone by another name, and every screen does', async () => {
  const { presenter, stage, reader } = players;
  const name = new URL(reader.url()).pathname.split('/').at(-1) ?? '';
  await presenter.getByLabel(`More for ${name}`, { exact: true }).first().click();
  await presenter.getByLabel(`What ${name} is called`).fill('José');
  await presenter.getByRole('button', { name: 'Rename' }).click();
  await appears(stage.getByText('José read'));
  await appears(stage.locator(`[data-actor=${name}]`).getByText('José'));
  assert.deepEqual(under.complaints, []);
});

test('from any event of the lab it is asked what else could have happened', async () => {
  const watcher = await under.open(`/lab/${players.lab}?event=20`);
  await watcher.getByRole('button', { name: 'Explore from here' }).click();
  await appears(watcher.getByText('from entry'));
  await appears(watcher.getByText(/^(?:✓ holds|✕ broken)/));
  assert.deepEqual(under.complaints, []);
});

test('again without it, the same phones read what was written, and nothing is violated', async () => {
  const { presenter, stage, reader, lab } = players;
  await presenter.getByRole('button', { name: 'Again, with stock' }).click();
  await playCues(players);
  assert.deepEqual(await verdictOnStage(players), { wrote: '0x2a', read: '0x2a', is: 'right' });
  await appears(reader.getByText('You read 0x2a, as'));
  assert.equal(await stage.getByText('STALE').count(), 0);
  await fits(stage);

  // A page that only watches touches nothing: the lab is locked to its presenter from the beginning.
  const watcher = await under.open(`/lab/${lab}`);
  await appears(watcher.getByText('The presenter has locked the controls.'));
  assert.deepEqual(under.complaints, []);
});
