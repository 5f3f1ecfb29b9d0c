/** Advice is measured: each option that it names is one that helps. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ExploreRequest, scenarioOf } from '../../../server/scenario/explore-request.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';
import { adviceFor, adviceText } from './advice.ts';
import { answerTo } from './answer.ts';
import { searchDataOf } from './search-settings.ts';

const SEED = fileURLToPath(new URL('../../../scenarios/seed-zero-page.yaml', import.meta.url));
const SETTINGS = { strategy: 'dpor', budgetSeconds: 60, seed: 1, depth: 3 } as const;
const ASKED: ExploreRequest = {
  file: SEED,
  text: readFileSync(SEED, 'utf8'),
  patch: 'stock',
  drivers: [],
  parameters: {},
};

/** Devices that get in each other's way. */
const FAULTING = fileURLToPath(
  new URL('../../../scenarios/seed-zero-page-fault.yaml', import.meta.url),
);
const WIDE = { file: FAULTING, text: readFileSync(FAULTING, 'utf8') };

async function advised(
  asked: ExploreRequest,
  search: Partial<SearchData>,
): Promise<readonly string[]> {
  const whole = { ...searchDataOf(scenarioOf(asked), SETTINGS), ...search };
  const answered = await answerTo(asked, whole, { workers: 1, onProgress: () => undefined });
  return await adviceFor(asked, whole, answered);
}

test('a search that its budget ends is told what a smaller one takes', async () => {
  const asked = { ...ASKED, ...WIDE, parameters: { devices: 3 } };
  const advice = await advised(asked, { budgetExecutions: 40 });
  const all = advice.join('\n');
  assert.match(all, /^--devices 2 instead of 3: /m);
  assert.match(all, /--strategy pct/);
  assert.match(adviceText(advice), /^\n {2}To try:\n {2}- /);
});

test('a search that was to end is told nothing', async () => {
  assert.deepEqual(await advised(ASKED, {}), []);
  assert.equal(adviceText([]), '');
});

test('a window that is never entered is the thing to look at', async () => {
  const advice = await advised({ ...ASKED, parameters: { devices: 1 } }, {});
  assert.match(advice.join('\n'), /look at its `window`/);
});

test('samples that found nothing are told that they prove nothing', async () => {
  const advice = await advised(ASKED, { strategy: 'urw', budgetExecutions: 5 });
  assert.match(advice.join('\n'), /--budget-executions 50 .*only --strategy dpor can say/);
});

test('the command line wins over the scenario, and the scenario over the default', () => {
  const scenario = scenarioOf(ASKED);
  const bounds = { executions: 70, preemptions: 4 };
  assert.equal(searchDataOf(scenario, SETTINGS).budgetExecutions, 1_000_000);
  assert.equal('preemptionsMax' in searchDataOf(scenario, SETTINGS), false);
  const bounded = searchDataOf({ ...scenario, bounds }, SETTINGS);
  assert.deepEqual([bounded.budgetExecutions, bounded.preemptionsMax], [70, 4]);
  const told = { ...SETTINGS, budgetExecutions: 9, preemptions: 0 };
  const overruled = searchDataOf({ ...scenario, bounds }, told);
  assert.deepEqual([overruled.budgetExecutions, overruled.preemptionsMax], [9, 0]);
});
