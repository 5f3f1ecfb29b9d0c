/** How a room comes in, and how nobody falls out of it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';
import { joinAsDevice, type OpenedLab, requestSeedLab } from './play-seed-race.ts';
import { appears, disappears } from './seen.ts';

const PHONES = 18;
/** Windows that load at the same time: it is the taps that are to come at once. */
const LOAD_AT_ONCE = 3;
let under: PageUnderTest;
let opened: OpenedLab;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage();
});
beforeEach(async () => {
  if (A_BROWSER_RUNS) opened = await requestSeedLab(under);
});
after(() => under?.end());
afterEach(() => under?.closeAll());

function inLab() {
  const found = under.server.labs.find(opened.lab);
  assert.ok(found !== 'none');
  return found;
}

function nameOf(phone: Page): string {
  return new URL(phone.url()).pathname.split('/').at(-1) ?? '';
}

async function joinWithAPage(): Promise<Page> {
  const phone = await joinAsDevice(under, opened.code);
  await phone.getByText('Something else…').click();
  await phone.getByRole('button', { name: 'Migrate here' }).click();
  await appears(phone.getByTestId('result').getByText(/^migrate.*here: 0x0/));
  return phone;
}

test('a reload, a look at the lab and a way back keep the session and what it holds', async () => {
  const phone = await joinWithAPage();
  await phone.getByRole('button', { name: /^Write 0x2a/ }).click();
  await appears(phone.getByTestId('my-entry').getByText('0x2a'));
  const name = nameOf(phone);
  const there = [...inLab().actors.keys()].join();

  await phone.reload();
  await appears(phone.getByText('● connected'));
  assert.equal(nameOf(phone), name);
  await phone.getByText('Something else…').click();
  await phone.getByRole('button', { name: 'Read', exact: true }).last().click();
  await appears(phone.getByTestId('result').getByText('0x2a'));

  await phone.getByRole('link', { name: 'Watch the lab' }).click();
  await appears(phone.getByText('Who takes part'));
  assert.equal([...inLab().actors.keys()].join(), there);
  await phone.goBack();
  await appears(phone.getByTestId('my-entry').getByText('0x2a'));
  assert.equal([...inLab().actors.keys()].join(), there);
  assert.deepEqual(under.complaints, []);
});

test('a device that leaves for good gives the memory back first: nothing is poison', async () => {
  const phone = await joinWithAPage();
  const name = nameOf(phone);
  await phone.getByRole('button', { name: 'Leave for good' }).click();
  await appears(phone.getByText('The patch looked safe'));
  assert.equal(inLab().actors.has(name), false);
  const entries = inLab()
    .snapshot()
    .ptes.map(({ entry }) => entry.state);
  assert.deepEqual(
    entries.filter((state) => state === 'poison' || state === 'device-private'),
    [],
  );
});

test('two phones break it together: what both say is the next step', async () => {
  const phones = [
    await joinAsDevice(under, opened.code),
    await joinAsDevice(under, opened.code),
  ] as const;
  const table = await under.open(`/break/seed-zero-page?room=${opened.lab}`);
  const movesSoFar = () => new URL(table.url()).searchParams.get('moves') ?? '';
  const asked = table.getByTestId('room-vote');
  await appears(asked.getByText('0 of 2'));
  while ((await table.getByTestId('break-end').count()) === 0) {
    const before = movesSoFar();
    await appears(table.getByTestId('ways-left').getByText('left to break it'));
    await table.getByRole('button', { name: 'Hint' }).click();
    const hint = await appears(table.locator('.break-foot [role=status]').getByText('go next'));
    const [, actor = ''] = /Let (\S+) go next/.exec(hint) ?? [];
    await appears(phones[0].getByText(`Step ${before.length + 1}.`));
    await phones[0].locator(`[data-vote=${actor}]`).click();
    await appears(asked.getByText('1 of 2'));
    assert.equal(movesSoFar(), before, 'one voice of two takes no step');
    await phones[1].locator(`[data-vote=${actor}]`).click();
    while (movesSoFar() === before) await table.waitForTimeout(20);
  }
  await appears(table.getByTestId('break-end').getByText('Broken in 4 switches'));
  await disappears(phones[0].locator('[data-vote]'));
  assert.deepEqual(under.complaints, []);
});

test('18 phones that tap at once are all in, each under a name of its own', async () => {
  const phones: Page[] = [];
  while (phones.length < PHONES) {
    const more = Array.from({ length: LOAD_AT_ONCE }, () =>
      under.open(`/join/${opened.code}`, PHONE),
    );
    phones.push(...(await Promise.all(more)));
  }
  await Promise.all(phones.map((phone) => phone.getByText('Be a device').click()));
  await Promise.all(phones.map((phone) => appears(phone.getByText('● connected'))));
  const names = phones.map(nameOf);
  assert.equal(new Set(names).size, PHONES, names.join());
  assert.equal(names.includes('auto'), false);
  const { actors } = inLab();
  assert.deepEqual(
    names.filter((name) => actors.get(name)?.role !== 'device'),
    [],
  );
  assert.deepEqual(under.complaints, []);
});

test('a wrong code keeps the form, in plain words, and the right one is taken in any spelling', async () => {
  const phone = await under.open('/join/8jf%20kd', PHONE);
  const words = await appears(phone.getByText('No lab has the code 8JFKD'));
  assert.doesNotMatch(words, /GET|POST|\/api|pattern|schema/);
  const spaced = opened.code.toLowerCase().split('').join(' ');
  await phone.getByLabel('Join code').fill(` ${spaced} `);
  await phone.getByRole('button', { name: 'Join', exact: true }).click();
  await appears(phone.getByText('Be a device'));
});
