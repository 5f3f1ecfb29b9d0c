import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText, estimateOf, estimateText, shareText } from './estimate.ts';

const BUDGETS = { budgetSeconds: 60, budgetExecutions: 1_000_000 };

function progress(executions: number, done: number) {
  return { executions, steps: 0, windowEntered: 0, done };
}

test('a quarter in ten seconds leaves thirty', () => {
  const estimate = estimateOf(progress(1_000, 0.25), 10, BUDGETS);
  assert.deepEqual(estimate, { share: 0.25, secondsLeft: 30, endsBy: 'itself' });
  assert.equal(estimateText(estimate), '25 % of the search, about 30 s left');
});

test('what takes longer than the budget ends by the budget, of time or of executions', () => {
  const byTime = estimateOf(progress(1_000, 0.01), 10, BUDGETS);
  assert.deepEqual([byTime.secondsLeft, byTime.endsBy], [50, 'budget']);
  assert.match(estimateText(byTime), /about 50 s until the budget ends/);
  const byCount = estimateOf(progress(1_000, 0.01), 10, { ...BUDGETS, budgetExecutions: 1_500 });
  assert.deepEqual([byCount.secondsLeft, byCount.endsBy], [5, 'budget']);
});

test('nothing is said before there is anything to say it of', () => {
  const estimate = estimateOf(progress(0, 0), 0.1, BUDGETS);
  assert.equal(estimate.secondsLeft, 'unknown');
  assert.equal(estimateText(estimate), 'size unknown');
});

test('shares and times are words for people', () => {
  assert.deepEqual([0.999, 0.12, 0.034, 0.0004].map(shareText), ['99 %', '12 %', '3 %', '0.04 %']);
  assert.deepEqual([0.2, 40, 300, 10_000, 864_000].map(durationText), [
    'a second',
    '40 s',
    '5 min',
    '3 h',
    '10 days',
  ]);
});
