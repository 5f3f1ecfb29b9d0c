/** Every view, in both themes, as axe-core judges it; and what a view does when there is nothing to show. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { openPage, type PageUnderTest, PHONE } from './page-under-test.ts';
import { appears, disappears } from './seen.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** All that axe-core knows of WCAG 2 up to AA, and what it calls good practice. */
const ALL = {
  type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};
/** All that another theme can change. */
const COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

const CELL = {
  shapes: 1,
  asked: 1,
  reached: 1,
  counts: { holds: 1, appeared: 0, broken: 0, unknown: 0, 'not reached': 0 },
  verdict: 'holds',
};
/** What `mmrace shapes --json` prints, cut to two operations. */
const MATRIX = {
  name: 'matrix.json',
  mimeType: 'application/json',
  buffer: Buffer.from(
    JSON.stringify({
      before: 'stock',
      after: 'stock',
      kernel: '6.12',
      verdict: 'broken',
      shapes: 3,
      asked: 3,
      found: [{ name: 'none:load', word: 'broken', executions: 1, why: 'OR3: it is wrong' }],
      unknown: [],
      matrix: [
        { ...CELL, operations: ['load'], verdict: 'broken' },
        { ...CELL, operations: ['store'] },
        { ...CELL, operations: ['load', 'store'] },
      ],
      notTried: { beyondBudget: 0, operations: ['mmap'], features: [] },
    }),
  ),
};

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

let under: PageUnderTest;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage({ unknownLabs: 'refused' });
});
after(() => under?.end());
afterEach(() => under?.closeAll());

async function axeComplaints(page: Page, rules: typeof ALL = ALL): Promise<string[]> {
  // The policy of the page lets no script in; evaluate() is not bound by it.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as {
      readonly axe: { run(root: Document, options: unknown): Promise<{ violations: unknown }> };
    };
    const found = await axe.run(document, { runOnly, resultTypes: ['violations'] });
    return found.violations as AxeViolation[];
  }, rules);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`),
  );
}

async function judge(page: Page, view: string): Promise<void> {
  // What is not live is grey, and meant to be.
  await disappears(page.locator('.not-live'));
  assert.deepEqual(await axeComplaints(page), [], `${view}, light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await axeComplaints(page, COLOURS), [], `${view}, dark`);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function show(page: Page, view: string, address: string, ready: string): Promise<void> {
  await page.goto(under.server.url + address);
  await appears(page.getByText(ready).first());
  await judge(page, view);
}

test('the views of a room are accessible in light and in dark, as axe-core judges it', async () => {
  const desk = await under.open('/');
  await show(desk, 'home', '/', 'Labs of this server');
  await desk.keyboard.press('?');
  await judge(desk, 'keys');
  const cpu = await under.open('/', PHONE);
  await show(cpu, 'join', '/join/demo', 'Be a device');
  await show(cpu, 'cpu', '/lab/demo/cpu/cpu0', '● connected');
  await cpu.getByRole('button', { name: 'Map 8 pages' }).click();
  await cpu.getByRole('button', { name: /^Store/ }).click();
  const device = await under.open('/', PHONE);
  await show(device, 'device', '/lab/demo/device/gpu0', '● connected');
  await device.getByRole('button', { name: 'Read' }).click();
  await appears(device.getByTestId('my-entry').getByText('main memory'));
  await judge(device, 'device with an entry');
  await show(desk, 'lab', '/lab/demo', 'Who takes part');
  await desk.getByRole('tab', { name: 'Signs' }).click();
  await judge(desk, 'lab, Signs');
  await show(desk, 'stage', '/lab/demo/stage', 'join');
  await show(desk, 'console', '/lab/demo/console', 'Who goes next');
  assert.deepEqual(under.complaints, []);
});

test('so are those that take a race apart, and the judge is awake', async () => {
  const desk = await under.open('/');
  await show(desk, 'break', '/break/seed-zero-page', 'You are the scheduler');
  await show(desk, 'explore', '/explore?scenario=seed-zero-page', 'Strategy');
  await desk.getByLabel('Kernel').selectOption('remove-second-invalidate');
  await desk.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(desk.getByText('✕ broken'));
  await judge(desk, 'run');
  await desk.getByRole('button', { name: 'Explain' }).click();
  await appears(desk.getByText('The rule that was broken').first());
  await judge(desk, 'explanation');
  await desk.goto(`${under.server.url}/explore?scenario=seed-zero-page-fault`);
  await desk.getByLabel('devices').fill('6');
  await desk.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(desk.getByRole('button', { name: 'Stop' }));
  await judge(desk, 'progress');
  await desk.getByRole('button', { name: 'Stop' }).click();
  await show(desk, 'matrix', '/matrix', 'The catalogue of shapes');
  await desk.locator('input[type=file]').setInputFiles(MATRIX);
  await desk.getByRole('button', { name: 'load with store: holds' }).click();
  await appears(desk.getByText('1 of 1 shapes asked').first());
  await judge(desk, 'matrix with a report');

  await show(desk, 'campaigns', '/campaigns', 'Campaigns');
  await show(desk, 'nowhere', '/nowhere/at/all', 'Nothing is at this address');
  assert.deepEqual(under.complaints, []);

  await desk.evaluate(() => {
    const button = document.createElement('button');
    document.querySelector('main')?.append(button);
  });
  const found = await axeComplaints(desk);
  assert.ok(
    found.some((complaint) => complaint.startsWith('button-name')),
    found.join('\n'),
  );
});

test('a lab that is not there is said to be so, with a way on', async () => {
  const page = await under.open('/lab/nothing-here/device/x', PHONE);
  await appears(page.getByText('does not know the lab nothing-here'));
  await page.getByRole('link', { name: 'To the list of labs' }).click();
  await appears(page.getByText('Labs of this server'));
});

/** How much of the window has moved since it was opened, by itself. */
function shifts(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const entries = list.getEntries() as (PerformanceEntry & { readonly value: number })[];
          resolve(entries.reduce((sum, { value }) => sum + value, 0));
        }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(0), 300);
      }),
  );
}

test('nothing moves once it is there: neither while a page loads nor when a device joins', async () => {
  const lab = await under.open('/lab/demo');
  await appears(lab.getByText('● connected'));
  const device = await under.open('/lab/demo/device/late', PHONE);
  await appears(device.getByText('● connected'));
  await appears(lab.locator('[data-actor=late]'));
  for (const page of [lab, device, await under.open('/')]) {
    assert.ok((await shifts(page)) < 0.05, `${page.url()} moved by ${await shifts(page)}`);
  }
});

/** What a phone hears of its lab, each by a way of its own: the last one to arrive moves nothing that was there. */
const WAYS = ['HTTP', 'the first socket', 'the second socket'] as const;
const HELD_BACK_MS = 500;

for (const late of WAYS) {
  test(`nothing moves on a phone whose lab comes in parts, ${late} last`, async () => {
    const phone = await under.open('/nowhere', PHONE);
    const delayOf = (way: string) => (way === late ? HELD_BACK_MS : 0);
    await phone.route('**/api/labs/**', async (route) => {
      await sleep(delayOf('HTTP'));
      await route.continue();
    });
    const sockets = [...WAYS].slice(1);
    await phone.routeWebSocket('**/ws', (socket) => {
      const way = sockets.shift() ?? 'another socket';
      const server = socket.connectToServer();
      server.onMessage((message) => {
        setTimeout(() => socket.send(message), delayOf(way));
      });
    });
    await phone.goto(`${under.server.url}/lab/demo/device/${late.replaceAll(' ', '-')}`);
    await appears(phone.getByTestId('cpu-entry'));
    await appears(phone.getByTestId('my-entry'));
    assert.ok((await shifts(phone)) < 0.05, `moved by ${await shifts(phone)}`);
  });
}
