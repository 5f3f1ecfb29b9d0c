import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createContext, Script } from 'node:vm';
import type { Event, EventBody } from '../abi/event.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { numbered, SEED_PAGE } from './golden/seed-race-events.fixture.ts';
import { HTML_STEPS_MAX, htmlReport, type StepperData, VIOLATIONS_SHOWN_MAX } from './html.ts';
import { PAGES_SHOWN_MAX } from './stepper/memory-steps.ts';
import { STEPPER_MODEL, STEPPER_SCRIPT } from './stepper/stepper-script.ts';
import { STEPPER_STYLE } from './stepper/stepper-style.ts';

const PATCHED = runGolden('seed-zero-page', 'patched');
const STOCK = runGolden('seed-zero-page', 'stock');
const META = metaOf(PATCHED);
const PAGE = htmlReport(PATCHED.events, META);

for (const verdict of [STOCK, PATCHED]) {
  const kernel = verdict === STOCK ? 'stock' : 'patched';
  test(`the seed race as a page, ${kernel}`, () => {
    // The page without what is the same in all of them.
    const page = htmlReport(verdict.events, metaOf(verdict))
      .replace(STEPPER_STYLE, '...')
      .replace(STEPPER_SCRIPT, '...')
      .replaceAll(/sha256-[^']+/g, '...');
    assertGolden(`seed-zero-page.${kernel}.html`, page);
  });
}

function dataOf(page: string): StepperData {
  const json = /<script type="application\/json" id="log">(.*)<\/script>/.exec(page)?.[1];
  return JSON.parse(json ?? assert.fail('no data'));
}

/** What the page shows in its table after a step: the page's own script, without the page. */
function cellsAt(data: StepperData, step: number): string[][] {
  const context = createContext({ memory: data.memory, step });
  const told = new Script(`${STEPPER_MODEL}
    JSON.stringify(cellsAt(memory, step).map((row) => row.map((cell, column) =>
      cell.text + (cell.changed ? ' *' : '') + (differs(row, column, memory.processes) ? ' !' : ''))));
  `).runInContext(context);
  return JSON.parse(told);
}

test('the page loads nothing and runs nothing but its own script', () => {
  const addresses = PAGE.match(/(?:https?:)?\/\/[\w.]+|\b(?:src|url|import)\b\s*[=(]/g);
  assert.equal(addresses, null);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(PAGE)?.[1] ?? '';
  const hashOf = (element: string) => {
    const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(PAGE)?.[1] ?? '';
    return createHash('sha256').update(text).digest('base64');
  };
  assert.match(policy, /^default-src 'none';/);
  assert.ok(policy.includes(`script-src 'sha256-${hashOf('script')}';`));
  assert.ok(policy.includes(`style-src 'sha256-${hashOf('style')}';`));
  assert.doesNotThrow(() => new Script(STEPPER_SCRIPT));
});

test('every step is a row under its actor, and can be linked to', () => {
  const rows = PAGE.match(/<li(?: class="bug")?><span class="n">\d+<\/span>.*/g) ?? [];
  assert.equal(rows.length, PATCHED.events.length);
  const inOrder = PATCHED.events.toSorted((a, b) => a.n - b.n);
  for (const [at, { n }] of inOrder.entries()) assert.ok(rows[at]?.includes(`<a href="#${n}">`));
});

test('page tables are what they were at the step', () => {
  const data = dataOf(PAGE);
  const told = inSteps(PATCHED.events, 'dev1 reads a stale zero');
  assert.deepEqual(data.memory.columns, ['CPU', 'dev0', 'dev1']);
  assert.deepEqual(data.memory.rows, ['0x100200000']);
  assert.deepEqual(cellsAt(data, 0), [['empty', 'none', 'none']]);
  assert.deepEqual(cellsAt(data, told.mapped), [['zero page', 'none', 'zero page read *']]);
  assert.deepEqual(cellsAt(data, told.moved), [
    ['device page 0x800000 *', 'none', 'zero page read !'],
  ]);
  assert.deepEqual(cellsAt(data, told.last), [['frame 0x1', 'none', 'none']]);
});

/** The steps that the question is about. */
function inSteps(events: readonly Event[], question: string) {
  const step = (found: (event: Event) => boolean) =>
    events.find(found)?.n ?? assert.fail(`${question}: no such step`);
  return {
    mapped: step((event) => event.kind === 'mirror' && event.device === 'dev1'),
    moved: step((event) => event.kind === 'pte' && event.to.state === 'device-private'),
    last: Math.max(...events.map(({ n }) => n)),
  };
}

test('at every step the page agrees with the log', () => {
  const data = dataOf(htmlReport(STOCK.events, META));
  const mapped = new Map<string, number>();
  for (const event of STOCK.events) {
    if (event.kind === 'mirror') {
      mapped.set(event.device, event.to.state === 'none' ? -1 : event.to.pfn);
    }
    const [row] = cellsAt(data, event.n);
    for (const [device, pfn] of mapped) {
      const text = row?.[data.memory.columns.indexOf(device)] ?? '';
      assert.equal(pfn === -1, text.startsWith('none'), `${event.n}: ${device} has ${text}`);
    }
  }
});

test('text of the log never becomes markup', () => {
  const evil = `</script><script>alert(1)</script><!--<img src="x" onerror='alert(1)'>&`;
  const body: EventBody = { kind: 'note', text: evil };
  const violation: EventBody = {
    kind: 'violation',
    oracle: evil,
    rule: evil,
    text: evil,
    device: evil,
    page: SEED_PAGE,
    cpuHistory: [],
    deviceHistory: [],
  };
  const mirror: EventBody = {
    kind: 'mirror',
    device: evil,
    page: SEED_PAGE,
    from: { state: 'none' },
    to: { state: 'mapped', pfn: 1, access: 'read' },
  };
  const events = numbered([
    [evil, body],
    [evil, mirror],
    [evil, violation],
  ]);
  const page = htmlReport(events, {
    ...META,
    name: evil,
    patch: evil,
    seen: evil,
    bound: evil,
    reproduce: evil,
    litmus: { ...META.litmus, condition: evil },
  });
  assert.deepEqual(page.match(/<script|<img|<!--/g), ['<script', '<script']);
  assert.equal(page.match(/<\/script>/g)?.length, 2);
  assert.equal(dataOf(page).steps[0]?.text, `* ${evil}`);
});

test('a log that begins in the middle shows what was there before', () => {
  const late = STOCK.events.filter(({ n }) => n > inSteps(STOCK.events, 'later').moved);
  const data = dataOf(htmlReport(late, META));
  assert.deepEqual(cellsAt(data, 0), [['device page 0x800000', 'none', 'none']]);
});

test('what is too long is cut, and says so', () => {
  const load: EventBody = {
    kind: 'cpu-access',
    mm: 0,
    page: SEED_PAGE,
    pfn: 1,
    mode: 'read',
    value: '0x0',
  };
  const long = htmlReport(
    numbered(Array.from({ length: HTML_STEPS_MAX + 3 }, () => ['cpu0', load] as const)),
    META,
  );
  assert.equal(dataOf(long).steps.length, HTML_STEPS_MAX);
  assert.match(long, /3 earlier steps are left out/);
  const many = htmlReport(
    numbered(
      Array.from({ length: PAGES_SHOWN_MAX + 5 }, (_, at) => [
        'cpu0',
        { kind: 'pte', mm: 0, page: at, from: { state: 'none' }, to: { state: 'zero' } },
      ]),
    ),
    META,
  );
  assert.equal(dataOf(many).memory.rows.length, PAGES_SHOWN_MAX);
  assert.match(many, /5 more pages are not shown/);
  const [violation] = PATCHED.violations;
  assert.ok(violation !== undefined);
  const violations = Array.from(
    { length: VIOLATIONS_SHOWN_MAX + 1 },
    () => ['dev1', violation] as const,
  );
  assert.match(htmlReport(numbered(violations), META), /1 more are not shown/);
});

test('an empty log is a page too', () => {
  assert.match(htmlReport([], META), /<ol id="steps">\n\n<\/ol>/);
});
