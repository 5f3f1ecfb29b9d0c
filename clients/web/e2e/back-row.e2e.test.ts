/** What a room sees and feels: a stage in 4K, a timeline from the back row, a phone that buzzes, one that is out. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE, PROJECTOR, type Size } from './page-under-test.ts';
import { gather, joinAsDevice, playCues, type SeedRacePlayers } from './play-seed-race.ts';
import { appears, disappears } from './seen.ts';

const UHD: Size = { width: 3_840, height: 2_160 };
/** Pixels of the smallest word that the back row of a room reads on a projector of 1080 lines. */
const LEGIBLE = 16;

let under: PageUnderTest;
let players: SeedRacePlayers;

before(async () => {
  if (!A_BROWSER_RUNS) return;
  under = await openPage();
  players = await gather(under, 'remove-second-invalidate', { stage: UHD });
});
after(() => under?.end());

test('on a stage in 4K everything is as much larger as the stage, and nothing is cut off', async () => {
  const { stage } = players;
  await playCues(players, 0, 5);
  await appears(stage.locator('.picture .value'));
  const seen = await stage.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    const heightOf = (selector: string) =>
      document.querySelector(selector)?.getBoundingClientRect().height ?? 0;
    return {
      fits: scrollWidth <= innerWidth && scrollHeight <= innerHeight,
      value: heightOf('.picture .value'),
      cue: Number.parseFloat(
        getComputedStyle(document.querySelector('.cue-line .now') as Element).fontSize,
      ),
      memory: heightOf('.memory'),
    };
  });
  assert.ok(seen.fits);
  assert.ok(seen.value > 120, `values are ${seen.value} pixels high`);
  assert.ok(seen.cue > 60, `the cue has ${seen.cue} pixels`);
  assert.ok(seen.memory > UHD.height / 2, `memory has ${seen.memory} pixels`);
});

test('a wrong read calls the phone that read it, with a long buzz, and no other', async () => {
  const { reader, mover } = players;
  for (const phone of [reader, mover]) {
    await phone.evaluate(() => {
      navigator.vibrate = (pattern) => {
        document.documentElement.dataset.buzz = [pattern].flat().join(' ');
        return true;
      };
    });
  }
  await playCues(players, 5);
  await appears(reader.getByTestId('outcome'));
  const buzzOf = (phone: Page) => phone.evaluate(() => document.documentElement.dataset.buzz);
  assert.equal(await buzzOf(reader), '200 80 200 80 400');
  assert.equal(await buzzOf(mover), undefined);
});

test('a phone that is sent out is told so, and its name is free', async () => {
  const { presenter, stage, code } = players;
  const third = await joinAsDevice(under, code);
  const name = new URL(third.url()).pathname.split('/').at(-1) ?? '';
  const person = presenter.locator(`[data-person=${name}]`);
  await person.getByLabel(`More for ${name}`, { exact: true }).click();
  const out = person.getByRole('button', { name: 'Send it out: hold 2 s' });
  await out.click();
  assert.equal(await person.count(), 1, 'a slip of the finger sends nobody out');
  await out.focus();
  await presenter.keyboard.down(' ');
  await appears(third.getByText(/sent you out/));
  await presenter.keyboard.up(' ');
  await disappears(person);
  await disappears(stage.locator(`.tiles [title=${name}]`));
  const next = await joinAsDevice(under, code);
  assert.equal(new URL(next.url()).pathname.split('/').at(-1), name);
  assert.deepEqual(under.complaints, []);
});

/** Sizes of type on canvases of the page, in pixels of the screen. */
function watchType(): void {
  const fill = CanvasRenderingContext2D.prototype.fillText;
  const sizes: { [lines: string]: number } = {};
  CanvasRenderingContext2D.prototype.fillText = function (this: CanvasRenderingContext2D, ...args) {
    const size = Number(/(\d+(?:\.\d+)?)px/.exec(this.font)?.[1]);
    const where = this.canvas.parentElement?.closest('[id]')?.id ?? 'none';
    sizes[where] = Math.min(sizes[where] ?? size, size);
    document.documentElement.dataset.type = JSON.stringify(sizes);
    fill.apply(this, args);
  };
}

test('at 1080 lines no word of the timeline is smaller than 16 pixels', async () => {
  const page = await under.open('/', PROJECTOR);
  await page.addInitScript(watchType);
  await page.goto(`${under.server.url}/lab/${players.lab}`);
  await appears(page.locator('#timeline canvas'));
  await page.waitForFunction(() => document.documentElement.dataset.type?.includes('timeline'));
  const { timeline } = JSON.parse(
    (await page.evaluate(() => document.documentElement.dataset.type)) ?? '{}',
  );
  assert.ok(timeline >= LEGIBLE, `${timeline} pixels`);
  await page.setViewportSize(PHONE);
});
