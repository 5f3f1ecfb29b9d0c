/** The explorer in the page: from the question to the step, and from the link back to it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { FORMAT_NAMES } from '../../../server/report/format-names.ts';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest } from './page-under-test.ts';
import { joinAsDevice, joinBy } from './play-seed-race.ts';
import { appears, disappears } from './seen.ts';

const PATCH = 'remove-second-invalidate';
let under: PageUnderTest;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mmrace-run-e2e-'));
  if (A_BROWSER_RUNS) under = await openPage({ recordTo: folder });
});
after(async () => {
  await under?.end();
  rmSync(folder, { recursive: true });
});

test('a scenario is explored, its counterexample stepped through, and its link restores the step', async () => {
  const page = await under.open('/explore');
  await page
    .getByRole('combobox', { name: 'Scenario', exact: true })
    .selectOption('seed-zero-page');
  await page.getByLabel('Kernel').selectOption(PATCH);
  await page.getByText(`What ${PATCH} changes`).click();
  await appears(page.getByText("-  let bracket = 'none';"));
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByText('✕ broken'));
  await appears(page.getByText('Point of no return'));
  await appears(page.getByText('✕ 1 stale cell'));

  // Two orders over each other, and what is swapped between them.
  assert.equal(await page.locator('.swap-row').count(), 2);
  assert.ok((await page.locator('.swap-row .swapped').count()) >= 2);

  assert.equal(await page.getByRole('button', { name: 'Beside the stock kernel' }).count(), 1);
  assert.ok(await stepIsInSight(page), 'the list of steps follows');

  // Before the reader maps the page nothing is stale.
  await page.getByRole('button', { name: /^5 / }).click();
  await disappears(page.getByText('✕ 1 stale cell'));
  const link = new URL(page.url());
  assert.equal(link.searchParams.get('scenario'), 'seed-zero-page');
  assert.equal(link.searchParams.get('patch'), PATCH);
  const event = link.searchParams.get('event');
  assert.match(event ?? '', /^\d+$/);

  // The link of another server's run: the same question is asked again.
  const elsewhere = await under.open(`/run/long-forgotten${link.search}`);
  await appears(elsewhere.getByText(`◼ then ${event}`));
  assert.equal(new URL(elsewhere.url()).searchParams.get('event'), event);

  await page.getByRole('button', { name: 'The nearest safe one' }).click();
  await appears(page.getByText('the nearest execution that holds'));
  await page.keyboard.press('End');
  assert.equal(await page.getByText('stale cell').count(), 0);

  const run = link.pathname.split('/').at(-1);
  for (const format of FORMAT_NAMES) {
    const response = await fetch(`${under.server.url}/api/runs/${run}/report/${format}`);
    assert.equal(response.status, 200, format);
    assert.ok((await response.text()).length > 20, format);
  }
  assert.deepEqual(complaintsBut404(), []);
});

test('the events of a run play by themselves, are pinned, and say what they are under the pointer', async () => {
  const page = await under.open(`/explore?scenario=seed-zero-page&patch=${PATCH}`);
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  const slider = page.getByLabel('The event that is looked at');
  await appears(slider);
  await page.keyboard.press('Home');
  const first = Number(await slider.inputValue());
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByLabel('Events a second').selectOption('64');
  await page.getByRole('button', { name: 'Play the events' }).click();
  const last = (await slider.getAttribute('max')) ?? '';
  while ((await slider.inputValue()) !== last) await page.waitForTimeout(20);
  // It stands by itself where the history ends.
  await appears(page.getByRole('button', { name: 'Play the events' }));
  await page.locator('#timeline').focus();
  await page.keyboard.press('[');
  assert.equal(Number(await slider.inputValue()), first);
  const box = await page.locator('#timeline canvas').boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  await appears(page.locator('.hover-card', { hasText: /^\d+ \w+/ }));
  const height = async () => (await page.locator('#timeline').boundingBox())?.height ?? 0;
  const before = await height();
  await page.getByRole('separator').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  assert.ok((await height()) > before);
  assert.deepEqual(complaintsBut404(), []);
});

test('words are explained under the pointer, documents are served, and a run goes into a room', async () => {
  const page = await under.open('/explore?scenario=seed-zero-page');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  const word = page.locator('dfn', { hasText: 'race window' });
  await appears(word);
  assert.match((await word.getAttribute('title')) ?? '', /order of two actors/);
  await page.keyboard.press('?');
  const dialog = page.locator('dialog[open]');
  await appears(dialog.getByText('the next violation'));
  const keys = await dialog.locator('kbd').allTextContents();
  assert.deepEqual(
    keys.filter((key) => key === ''),
    [],
    'no row without a key',
  );
  const guide = await dialog.getByText('What there is').getAttribute('href');
  assert.match(await (await fetch(under.server.url + guide)).text(), /^# The page/);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Play this in a room' }).click();
  await appears(page.getByText('How to run this in a room'));
  assert.deepEqual(complaintsBut404(), []);
});

test('a counterexample is played in a room: its steps are the cues, its actors the phones', async () => {
  const presenter = await under.open('/explore?scenario=seed-empty-entry');
  await presenter.getByLabel('Kernel').selectOption('remove-second-invalidate');
  await presenter.getByRole('button', { name: 'Explore', exact: true }).click();
  await presenter.getByRole('button', { name: 'Play this in a room' }).click();
  await appears(presenter.getByText('How to run this in a room'));
  const code = (await presenter.locator('.top .code').textContent()) ?? '';
  const phones = [await joinAsDevice(under, code), await joinAsDevice(under, code)];
  const CUES = ['Begin to migrate', 'Read', 'Move the page', 'Write 0x2a', 'Read'];
  for (const words of CUES) {
    const phone = phones[words === 'Read' ? 1 : 0];
    assert.ok(phone !== undefined);
    const button = phone.getByTestId('turn');
    await appears(button.getByText(words, { exact: true }));
    await button.click();
    await disappears(phone.locator('[data-testid=turn]:disabled'));
  }
  const outcome = await appears((phones[1] as Page).getByTestId('outcome'));
  assert.match(outcome, /0x0.*wrote 0x2a.*nobody told you/);
  assert.deepEqual(complaintsBut404(), []);
});

test('a counterexample that switches inside of a call is led: one cue holds a phone, another lets it go', async () => {
  const presenter = await under.open('/explore?scenario=cow-while-mirrored');
  await presenter.getByLabel('Kernel').selectOption('cow-ends-bracket-early');
  await presenter.getByRole('button', { name: 'Explore', exact: true }).click();
  await presenter.getByRole('button', { name: 'Play this in a room' }).click();
  await appears(presenter.getByText('How to run this in a room'));
  const code = (await presenter.locator('.top .code').textContent()) ?? '';
  const thread = await joinBy(under, code, 'Be a CPU thread');
  const device = await joinAsDevice(under, code);
  const press = async (phone: Page, words: string) => {
    const button = phone.getByTestId('turn');
    await appears(button.getByText(words, { exact: true }));
    await button.click();
  };
  await press(thread, 'store a 2');
  await appears(thread.getByText('The cue holds you: wp_page_copy.ptl'));
  await appears(presenter.getByText('cpu0 is held: wp_page_copy.ptl'));
  await press(device, 'fault-read a');
  await press(thread, 'Go on');
  await press(device, 'Read');
  const outcome = await appears(device.getByTestId('outcome'));
  assert.match(outcome, /cpu0 wrote 0x2.*nobody told you/);
  await appears(presenter.getByText('That was the race.'));
  assert.deepEqual(complaintsBut404(), []);
});

test('any order that breaks stands beside the stock kernel, step by step, with one numbering', async () => {
  const page = await under.open('/explore?scenario=cow-while-mirrored');
  await page.getByLabel('Kernel').selectOption('cow-ends-bracket-early');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await page.getByRole('button', { name: 'Beside the stock kernel' }).click();
  const bug = page.getByRole('region', { name: 'With cow-ends-bracket-early' });
  const stock = page.getByRole('region', { name: 'Stock', exact: true });
  await appears(bug.getByText(/dev0 maps .* but the CPU entry is/));
  assert.equal(await stock.locator('ul.wrong').count(), 0);
  await appears(page.locator('.swap-row').first());
  const steps = await page.locator('.steps li').count();
  const both = page.getByLabel('Step of both');
  assert.equal(Number(await both.inputValue()), steps);
  await page.keyboard.press('ArrowLeft');
  await appears(page.getByText(`step ${steps - 1} of ${steps}`));
  assert.equal(await bug.locator('ul.wrong').count(), 0);
  assert.deepEqual(complaintsBut404(), []);
});

test('without the patch the verdict is that it holds, and the window was entered', async () => {
  const page = await under.open('/explore?scenario=seed-zero-page');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByText('✓ holds'));
  await appears(page.getByText(/The race window was entered in [1-9]/));
  assert.deepEqual(complaintsBut404(), []);
});

test('a run that is stopped keeps its figures', async () => {
  const page = await under.open('/explore?scenario=seed-zero-page-fault');
  await page.getByLabel('devices').fill('6');
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  // Behind the estimate, which counts for itself.
  await appears(page.getByText(/^\d[\d,]{2,} executions, \d[\d,]+ steps; about/));
  await page.getByRole('button', { name: 'Stop' }).click();
  await appears(page.getByText('stopped before it had an answer'));
  await appears(page.getByText(/^\d[\d,]{2,} executions, \d[\d,]+ steps$/));
  assert.deepEqual(complaintsBut404(), []);
});

test('a scenario of one’s own is written, mended by line, explored, and its token asked again', async () => {
  const page = await under.open('/explore?scenario=seed-zero-page');
  await page.getByRole('button', { name: 'Change this scenario' }).click();
  const area = page.getByLabel('Scenario, in YAML');
  await appears(area);
  const shipped = await area.inputValue();
  await area.fill(shipped.replace('kind: device', 'kind: toaster'));
  await appears(page.getByText('got "toaster"'));
  assert.equal(await page.getByRole('button', { name: 'Explore', exact: true }).isDisabled(), true);
  await area.fill(shipped.replace('name: seed-zero-page', 'name: mine'));
  await appears(page.getByRole('heading', { name: 'mine' }));
  await page.getByLabel('Kernel').selectOption(PATCH);
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByText('✕ broken'));
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const { run } = await (await fetch(`${under.server.url}/api/runs/${id}`)).json();

  await page.goto(`${under.server.url}/explore`);
  await paste(page, run.verdict.token);
  await appears(page.getByText('✕ broken'));
  assert.deepEqual(complaintsBut404(), []);
});

test('a kernel function is changed in the page, and what that breaks is found', async () => {
  const page = await under.open('/explore?scenario=seed-zero-page');
  await page.getByRole('button', { name: 'Write it' }).click();
  const area = page.getByLabel('The patch: TypeScript, run on this server');
  await appears(area);
  const stock = await area.inputValue();
  await area.fill(stock.replace("bracket === 'none' && fillsHole(migration, index)", 'false'));
  await page.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(page.getByText('✕ broken'));
  await appears(page.getByText('✕ 1 stale cell'));
  assert.deepEqual(complaintsBut404(), []);
});

test('a recording of a lab is dropped into the page, or pasted, and stands there in memory and time', async () => {
  const device = await under.open('/lab/demo/device/gpu0');
  await appears(device.getByText('● connected'));
  const [recording = ''] = readdirSync(folder).filter((name) => /^demo-.*\.jsonl$/.test(name));
  const page = await under.open('/explore');
  await page.locator('input[type=file]').setInputFiles(join(folder, recording));
  await appears(page.getByRole('heading', { name: 'A recording of demo' }));
  await appears(page.getByText(/^\d+ events, 0 violations/));
  await appears(page.getByText(/◼ then \d+/));
  await page.goto(`${under.server.url}/explore`);
  await paste(page, readFileSync(join(folder, recording), 'utf8'));
  await appears(page.getByText(/^\d+ events, 0 violations/));
  await page.goto(`${under.server.url}/recording`);
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'x.jsonl', mimeType: 'text/plain', buffer: Buffer.from('nothing') });
  const words = await appears(page.getByRole('alert').getByText('no recording of a lab'));
  assert.doesNotMatch(words, /POST|\/api|body\./);
});

function stepIsInSight(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const list = document.querySelector('.steps')?.getBoundingClientRect();
    const row = document.querySelector('.steps [aria-pressed=true]')?.getBoundingClientRect();
    return (
      list !== undefined &&
      row !== undefined &&
      row.top >= list.top - 1 &&
      row.bottom <= list.bottom + 1
    );
  });
}

/** Browsers write every answer of 404 on the console; the forgotten run is one. */
function complaintsBut404(): string[] {
  return under.complaints.filter((complaint) => !complaint.includes('404'));
}

/** As the keys for it do, of what a person has copied elsewhere. */
async function paste(page: Page, text: string): Promise<void> {
  await appears(page.getByText('or paste it'));
  await page.evaluate((copied) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', copied);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  }, text);
}
