/** Every view, in both themes, as axe-core judges it; and what a view does when there is nothing to show. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { A_BROWSER_RUNS, test } from './page-test.ts';
import { DESK, openPage, type PageUnderTest, PHONE, type Size } from './page-under-test.ts';
import { appears } from './seen.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** All that axe-core knows of WCAG 2 up to AA, and what it calls good practice. */
const ALL = {
  type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};
/** All that another theme can change. */
const COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

let under: PageUnderTest;

before(async () => {
  if (A_BROWSER_RUNS) under = await openPage({ unknownLabs: 'refused' });
});
after(() => under?.end());

async function axeComplaints(page: Page, rules: typeof ALL = ALL): Promise<string[]> {
  // The policy of the page lets no script in; evaluate() is not bound by it.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as {
      readonly axe: { run(root: Document, options: unknown): Promise<{ violations: unknown }> };
    };
    const found = await axe.run(document, { runOnly });
    return found.violations as AxeViolation[];
  }, rules);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`),
  );
}

async function judge(page: Page, view: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(await axeComplaints(page), [], `${view}, light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await axeComplaints(page, COLOURS), [], `${view}, dark`);
}

async function openAndJudge(view: string, address: string, ready: string, size: Size = DESK) {
  const page = await under.open(address, size);
  // Colours are judged at rest.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await appears(page.getByText(ready).first());
  await judge(page, view);
  return page;
}

test('every view is accessible in light and in dark, as axe-core judges it', async () => {
  const home = await openAndJudge('home', '/', 'Labs of this server');
  await home.keyboard.press('?');
  await judge(home, 'keys');
  await openAndJudge('join', '/join/demo', 'Be a device', PHONE);
  const cpu = await openAndJudge('cpu', '/lab/demo/cpu/cpu0', '● connected', PHONE);
  await cpu.getByRole('button', { name: 'Map 8 pages' }).click();
  await cpu.getByRole('button', { name: /^Store/ }).click();
  const device = await openAndJudge('device', '/lab/demo/device/gpu0', '● connected', PHONE);
  await device.getByRole('button', { name: 'Read' }).click();
  await appears(device.getByTestId('my-entry').getByText('frame'));
  await judge(device, 'device with an entry');
  const lab = await openAndJudge('lab', '/lab/demo', 'Who takes part');
  for (const tab of ['Join', 'Signs']) {
    await lab.getByRole('tab', { name: tab }).click();
    await judge(lab, `lab, ${tab}`);
  }
  const explore = await openAndJudge('explore', '/explore?scenario=seed-zero-page', 'Strategy');
  await explore.getByLabel('Kernel').selectOption('remove-second-invalidate');
  await explore.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(explore.getByText('✕ broken'));
  await judge(explore, 'run');
  await explore.getByRole('button', { name: 'Explain' }).click();
  await appears(explore.getByText('The rule that was broken').first());
  await judge(explore, 'explanation');
  const long = await under.open('/explore?scenario=seed-zero-page-fault');
  await long.getByLabel('devices').fill('6');
  await long.getByRole('button', { name: 'Explore', exact: true }).click();
  await appears(long.getByRole('button', { name: 'Stop' }));
  await judge(long, 'progress');
  await long.getByRole('button', { name: 'Stop' }).click();
  await openAndJudge('nowhere', '/nowhere/at/all', 'Nothing is at this address');
  assert.deepEqual(under.complaints, []);
});

test('axe-core finds a button without a name: the judge is awake', async () => {
  const page = await under.open('/');
  await appears(page.getByText('Labs of this server'));
  await page.evaluate(() => {
    const button = document.createElement('button');
    document.querySelector('main')?.append(button);
  });
  const found = await axeComplaints(page);
  assert.ok(
    found.some((complaint) => complaint.startsWith('button-name')),
    found.join('\n'),
  );
});

test('a lab that is not there is said to be so, with a way on', async () => {
  const page = await under.open('/lab/nothing-here/device/x', PHONE);
  await appears(page.getByText('No way into nothing-here'));
  await page.getByRole('link', { name: 'To the list of labs' }).click();
  await appears(page.getByText('Labs of this server'));
  const code = await under.open('/join/XXXXX', PHONE);
  await appears(code.getByText('No lab has the code XXXXX'));
});

test('nothing moves once it is there: neither while a page loads nor when a device joins', async () => {
  const shifts = async (page: Page) =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            const entries = list.getEntries() as (PerformanceEntry & { readonly value: number })[];
            resolve(entries.reduce((sum, { value }) => sum + value, 0));
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve(0), 300);
        }),
    );
  const lab = await under.open('/lab/demo');
  await appears(lab.getByText('● connected'));
  const device = await under.open('/lab/demo/device/late', PHONE);
  await appears(device.getByText('● connected'));
  await appears(lab.locator('[data-actor=late]'));
  for (const page of [lab, device, await under.open('/')]) {
    assert.ok((await shifts(page)) < 0.05, `${page.url()} moved by ${await shifts(page)}`);
  }
});
