import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../../explorer/failure.ts';
import { countOutcome, type Outcome, type Outcomes } from '../../explorer/outcomes.ts';
import { FORMATS } from '../../report/formats.ts';
import type { Verdict } from '../explore/explore.ts';
import { type ExploredFacts, metaOfExplored } from './explored-meta.ts';

const FACTS: ExploredFacts = {
  name: 'seed-zero-page',
  kernel: '6.1',
  patch: 'stock',
  strategy: 'dpor',
  reproduce: 'none',
  question: 'seed-zero-page on stock',
  waits: [],
};
const STALE: Failure = {
  kind: 'violation',
  rule: 'OR3',
  text: 'dev1 read a stale zero',
  actors: ['dev1'],
};
const REWORDED: Failure = { ...STALE, text: 'dev0 read a stale zero' };

function outcomes(counts: readonly [Failure | 'none', string, number][]): Outcomes {
  const map = new Map<string, Outcome>();
  for (const [failure, state, executions] of counts) {
    countOutcome(map, failure, () => state, executions);
  }
  return map;
}

const HOLDS: Verdict = {
  verdict: 'holds',
  bound: { kind: 'every interleaving', executions: 20, strategy: 'dpor' },
  executions: 20,
  steps: 400,
  seconds: 0.5,
  windowEntered: 4,
  failures: 0,
  outcomes: outcomes([
    ['none', 'a=private', 12],
    ['none', 'a=zero', 8],
  ]),
  counterexample: 'none',
  lockOrder: [],
};
const BROKEN: Verdict = {
  ...HOLDS,
  verdict: 'broken',
  bound: { kind: 'found', executions: 13, strategy: 'dpor' },
  executions: 13,
  failures: 1,
  outcomes: outcomes([
    ['none', 'a=private', 12],
    [STALE, '', 1],
  ]),
  counterexample: {
    failure: STALE,
    choices: [0],
    contextSwitches: 0,
    steps: [],
    pointOfNoReturn: 'unknown',
    nearestPassingSchedule: 'none',
    turn: { noReturn: 'unknown', swapped: 'none' },
  },
};

function litmusLines(verdict: Verdict, facts: ExploredFacts): string[] {
  return FORMATS.litmus.render([], metaOfExplored(verdict, facts)).split('\n');
}

test('a search that covered everything says never', () => {
  const lines = litmusLines(HOLDS, FACTS);
  assert.deepEqual(lines.slice(1, 6), [
    'Test seed-zero-page Allowed',
    'States 2',
    'a=private;',
    'a=zero;',
    'No',
  ]);
  assert.ok(lines.includes('Observation seed-zero-page Never 0 20'));
  assert.match(lines.at(-2) ?? '', /^Hash=[0-9a-f]{32}$/);
});

test('a search that stopped at a failure says sometimes, and no number of states', () => {
  const lines = litmusLines(BROKEN, FACTS);
  assert.ok(lines.includes('Ok'));
  assert.ok(lines.includes('Observation seed-zero-page Sometimes 1 12'));
  assert.ok(!lines.some((line) => line.startsWith('States')));
});

test('samples mark the failing outcome, also when shrinking has reworded it', () => {
  const { counterexample } = BROKEN;
  assert.ok(counterexample !== 'none');
  const reworded = { ...BROKEN, counterexample: { ...counterexample, failure: REWORDED } };
  for (const verdict of [BROKEN, reworded]) {
    const lines = litmusLines(verdict, { ...FACTS, strategy: 'pct' });
    assert.ok(lines.includes('1     *>OR3: dev1 read a stale zero;'));
    assert.ok(lines.includes('12    :>a=private;'));
  }
});

test('a window that was never entered is an error in KTAP', () => {
  const verdict: Verdict = { ...HOLDS, verdict: 'unknown', windowEntered: 0 };
  const lines = FORMATS.ktap.render([], metaOfExplored(verdict, FACTS)).split('\n');
  assert.ok(lines.includes('  not ok 1 race window entered # ERROR never in 20 executions'));
});
