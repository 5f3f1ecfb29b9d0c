/** Any number of threads comes to one answer, which is that of no threads; what users' own code does wrong is told. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ruleOf } from '../../../explorer/failure.ts';
import { describeBound } from '../../../report/bound.ts';
import { type ExploreRequest, planOf } from '../../../scenario/explore-request.ts';
import { BadInput } from '../../../vocabulary/bad-input.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore-scenario.ts';
import { checkInThread } from './check-in-thread.ts';
import { exploreInThreads, type ThreadOptions } from './explore-in-threads.ts';
import type { SearchData } from './jobs.ts';
import { withoutFunctions } from './plain-data.ts';

const ROOT = new URL('../../../../', import.meta.url);
const SEED = fileURLToPath(new URL('scenarios/seed-zero-page.yaml', ROOT));
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-threads-'));
after(() => rmSync(FOLDER, { recursive: true }));

const STOCK: ExploreRequest = {
  file: SEED,
  text: readFileSync(SEED, 'utf8'),
  patch: 'stock',
  drivers: [],
  parameters: {},
};
const BROKEN: ExploreRequest = { ...STOCK, patch: 'remove-second-invalidate' };
const SEARCH: SearchData = {
  strategy: 'pct',
  budgetExecutions: 500,
  budgetSeconds: 600,
  seed: 5,
  depth: 3,
};

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text.replaceAll('ROOT/', ROOT.href));
  return path;
}

function inThreads(
  asked: ExploreRequest,
  search: SearchData,
  options: Partial<ThreadOptions> = {},
): Promise<ScenarioVerdict> {
  return exploreInThreads(asked, search, {
    workers: 1,
    onProgress: () => undefined,
    interrupted: new AbortController().signal,
    ...options,
  });
}

async function here(asked: ExploreRequest, search: SearchData): Promise<ScenarioVerdict> {
  const options = { ...search, clock: () => performance.now(), onProgress: () => undefined };
  return exploreScenario(await planOf(asked), options);
}

/** All of a verdict but how long it took, and the pairs of yield points, which only a search in one thread counts. */
function told(verdict: ScenarioVerdict): unknown {
  const { seconds: _, pairs: __, plan, ...rest } = verdict;
  return withoutFunctions({ ...rest, parameters: plan.choice.parameters });
}

for (const [strategy, threads] of [
  ['pct', [1, 3]],
  ['random', [2]],
  ['urw', [2]],
] as const) {
  test(`${strategy}: the same seed, the same failure, with no thread and with ${threads}`, async () => {
    const search = { ...SEARCH, strategy };
    const alone = told(await here(BROKEN, search));
    for (const workers of threads) {
      assert.deepEqual(told(await inThreads(BROKEN, search, { workers })), alone, `${workers}`);
    }
  });
}

test('the same executions are counted where none fails', async () => {
  const alone = await here(STOCK, SEARCH);
  assert.equal(alone.executions, SEARCH.budgetExecutions);
  assert.deepEqual(told(await inThreads(STOCK, SEARCH, { workers: 2 })), told(alone));
});

test('another seed finds it elsewhere', async () => {
  const [one, other] = [await here(BROKEN, SEARCH), await here(BROKEN, { ...SEARCH, seed: 6 })];
  assert.equal(one.verdict, 'broken');
  assert.notEqual(one.executions, other.executions);
});

test('an exhaustive search finds with 2 and 3 threads what it finds with one', async () => {
  const search = { ...SEARCH, budgetExecutions: 1e6, strategy: 'dpor' } as const;
  const alone = told(await here(BROKEN, search));
  assert.deepEqual(told(await inThreads(BROKEN, search, { workers: 3 })), alone);
  const larger = { ...STOCK, parameters: { devices: 3, migrators: 2 } };
  const two = await inThreads(larger, search, { workers: 2 });
  // One thread executes 2,373 schedules, which come to so many ends.
  assert.deepEqual([two.verdict, two.outcomes.size, two.lockOrder.length], ['holds', 3, 0]);
  assert.ok(two.executions < 2_373 * 1.3, `${two.executions} executions`);
});

test('an interruption ends the search with what it has seen', async () => {
  const interruption = new AbortController();
  const verdict = await inThreads(
    { ...STOCK, parameters: { devices: 4 } },
    { ...SEARCH, budgetExecutions: 1e9 },
    {
      interrupted: interruption.signal,
      onProgress: ({ executions }) => {
        if (executions > 0) interruption.abort();
      },
    },
  );
  assert.equal(verdict.verdict, 'unknown');
  assert.match(
    describeBound(verdict.bound),
    /^interrupted after \d+ executions? \(pct\); kernel 6\.12$/,
  );
  assert.ok(verdict.executions > 0 && verdict.steps > verdict.executions);
});

const KINDS_OF_PATHS = [
  [
    'of the checkout',
    'ROOT/server/patches/PATCH.ts',
    'ROOT/clients/drivers/DRIVER.ts',
    'ROOT/server/abi/hmm-pfn.ts',
  ],
  ['by name', 'mmrace/patches/PATCH', 'mmrace/drivers/DRIVER', 'mmrace/abi/hmm-pfn'],
  [
    'of before the move',
    'ROOT/server/patches/PATCH.ts',
    'ROOT/clients/drivers/DRIVER.ts',
    'ROOT/server/protocol/hmm-pfn.ts',
  ],
] as const;

for (const [at, [kind, patches, drivers, pfns]] of KINDS_OF_PATHS.entries()) {
  test(`a user's own patch and driver are loaded in the threads: paths ${kind}`, async () => {
    const patch = file(
      `own-${at}.ts`,
      `import { removeSecondInvalidate } from '${patches.replace('PATCH', 'remove-second-invalidate')}';\n` +
        `export const patch = { ...removeSecondInvalidate, id: 'own' };\n`,
    );
    const driver = file(
      `mirror-${at}.ts`,
      `import { dmirrorWith } from '${drivers.replace('DRIVER', 'faulty/dmirror-variant')}';\n` +
        `import { HMM_PFN_VALID } from '${pfns}';\n` +
        'export const driver = { summary: String(HMM_PFN_VALID), newDevice: (options) => dmirrorWith(options, {}) };\n',
    );
    const verdict = await inThreads(
      { ...STOCK, patch, drivers: [`reader=${driver}`] },
      { ...SEARCH, strategy: 'dpor' },
    );
    assert.equal(verdict.verdict, 'broken');
    const { counterexample } = verdict;
    assert.ok(counterexample !== 'none' && ruleOf(counterexample.failure) === 'OR1');
  });
}

/** Its turns are not counted: it is not in the text of the file that is loaded. */
const CIRCLE = "new Function('for (;;);')();";

const STUCK = [
  [
    'in a function',
    "import { dmirrorWith } from 'ROOT/clients/drivers/dmirror/dmirror-variant.ts';\n" +
      'export const driver = {\n  newDevice: (options) => ({\n    ...dmirrorWith(options, {}),\n' +
      `    *perform() {\n      ${CIRCLE}\n    },\n  }),\n};\n`,
    /:6: perform\(\) has let no other task run for 1 s; a loop must/,
  ],
  [
    'as it is loaded',
    `${CIRCLE}\nexport const driver = {};`,
    /:1: .* has let no other task run for 1 s/,
  ],
] as const;

for (const [when, text, said] of STUCK) {
  test(`a driver that goes in circles ${when} is ended, and where it was is told`, async () => {
    const driver = file(`stuck-${when.length}.ts`, text);
    const asked = { ...STOCK, drivers: [driver] };
    await assert.rejects(checkInThread(asked, { stuckAfterMs: 1_000 }), (error: unknown) => {
      assert.ok(error instanceof BadInput, String(error));
      assert.match(error.message, said);
      assert.ok(error.message.startsWith(FOLDER), error.message);
      return true;
    });
  });
}

test('a patch that throws, or after which the kernel cannot go on, is told and no verdict', async () => {
  const cases = [
    ['*migrateVmaPages() { null.x; }', /:2: patch p0: migrateVmaPages\(\) throws TypeError/],
    ['*hmmRangeFault() {}', /:2: patch p1: hmmRangeFault\(\) has returned undefined; the kernel/],
  ] as const;
  for (const [at, [override, said]] of cases.entries()) {
    const patch = file(
      `p${at}.ts`,
      `export const patch = { overrides: () => ({\n${override},\n}) };\n`,
    );
    await assert.rejects(
      inThreads({ ...STOCK, patch }, { ...SEARCH, strategy: 'dpor' }),
      (error: unknown) => error instanceof BadInput && said.test(error.message),
    );
  }
});
