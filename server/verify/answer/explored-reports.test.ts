import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../../patches/patches.ts';
import { askedBy, herdWords } from '../../report/asked-condition.ts';
import { FORMAT_NAMES, type FormatName } from '../../report/format-names.ts';
import { LIST_COLUMNS_MAX } from '../../report/lines/list-columns.ts';
import { checkTrace } from '../../report/perfetto/check-trace.fixture.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';
import { reportOf } from './report.ts';

/** For a mail: whatever happened, no line is longer than a list takes. */
const FOR_MAILS: readonly FormatName[] = ['litmus', 'diagram', 'timeslice', 'splat'];

/** Two devices at one entry, a condition that fails, a livelock, a deadlock's cousin. */
const CASES = [
  ['hole-two-winners', 'insert-ignores-pte-change'],
  ['collect-flush-after-unlock', 'collect-flush-after-unlock'],
  ['device-fault-livelock', 'device-fault-reference-before-lock'],
  ['seed-empty-entry', 'remove-second-invalidate'],
  ['seed-empty-entry', 'stock'],
] as const;

function reports(
  name: string,
  patch: string,
  more: { readonly oracles?: 'OR5'[] } = {},
): ReadonlyMap<FormatName, string> {
  const scenario = shippedScenario(name);
  assert.ok(scenario !== 'none');
  const overrides = PATCHES.get(patch);
  const patches = overrides === undefined ? [] : [overrides];
  const plan = planScenario(
    { ...scenario, ...more },
    { patches, drivers: new Map(), parameters: {} },
  );
  const verdict = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  const asked = { patch, driver: [], strategy: 'dpor' } as const;
  const file = `scenarios/${name}.yaml`;
  return new Map(
    FORMAT_NAMES.map((format) => [format, reportOf(file, verdict.plan, asked, verdict, format)]),
  );
}

for (const [name, patch] of CASES) {
  test(`${name} with ${patch} is told in every format`, () => {
    const told = reports(name, patch);
    for (const format of FOR_MAILS) {
      for (const line of told.get(format)?.split('\n') ?? []) {
        assert.ok(line.length <= LIST_COLUMNS_MAX, `${format}: ${line}`);
      }
    }
    const trace = checkTrace(told.get('perfetto') ?? '');
    assert.deepEqual(trace.complaints, []);
    assert.ok(trace.flows > 0);
    assert.match(told.get('ktap') ?? '', /^KTAP version 1\n1\.\.1\n {2}KTAP version 1\n/);
    assert.match(
      told.get('litmus') ?? '',
      new RegExp(`^Observation ${name} (Never|Sometimes) `, 'm'),
    );
    assert.match(told.get('pagemap') ?? '', /^100200000-\d+ rw-p /m);
    const page = told.get('html') ?? '';
    assert.doesNotMatch(page, /(?:src|href)="(?!#)/);
  });
}

test('a condition that failed is the condition of the outcome block, with the state that fulfils it', () => {
  // The oracle of values sees it, too: only the condition is asked.
  const alone: { oracles: 'OR5'[] } = { oracles: ['OR5'] };
  const name = 'collect-flush-after-unlock';
  const litmus = reports(name, name, alone).get('litmus');
  assert.match(litmus ?? '', /^Test collect-flush-after-unlock Forbidden$/m);
  assert.match(litmus ?? '', /^cpu0:r0=0x1; a=none;$/m);
  assert.match(litmus ?? '', /^Condition ~exists \(cpu0:r0=1\)$/m);
});

test('conditions are spelt as litmus tests spell them; what an oracle says stays as it is', () => {
  assert.equal(
    herdWords('dev0.r0 = 0x1 and not stuck or a=none'),
    'dev0:r0=0x1 /\\ ~stuck \\/ a=none',
  );
  assert.deepEqual(askedBy({ kind: 'condition', how: 'reached', condition: 'stuck', actors: [] }), {
    quantifier: 'exists',
    condition: 'stuck',
  });
  assert.equal(
    askedBy({ kind: 'violation', rule: 'OR3', text: 'dev0 read 0x0', actors: [] }).condition,
    'violation',
  );
});
