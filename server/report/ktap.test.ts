import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KtapLeaf, type KtapOutcome, ktapDocument, outcomeOf, totalsOf } from './ktap.ts';

function leaf(name: string, outcome: KtapOutcome, reason = ''): KtapLeaf {
  return { name, outcome, reason, diagnostics: [] };
}

test('a campaign of scenarios of properties nests, and a parent fails with its child', () => {
  const document = ktapDocument([
    {
      name: 'races',
      diagnostics: [],
      subtests: [
        {
          name: 'seed-zero-page',
          diagnostics: ['dev1 reads 0x0'],
          subtests: [leaf('values', 'fail', 'stale'), leaf('progress', 'pass')],
        },
        { name: 'two-migrators', diagnostics: [], subtests: [leaf('one wins', 'pass')] },
      ],
    },
    leaf('thp', 'skip', 'not built in'),
  ]);
  assert.deepEqual(document.split('\n'), [
    'KTAP version 1',
    '1..2',
    '  KTAP version 1',
    '  1..2',
    '    KTAP version 1',
    '    1..2',
    '    not ok 1 values # stale',
    '    ok 2 progress',
    '  # dev1 reads 0x0',
    '  not ok 1 seed-zero-page',
    '    KTAP version 1',
    '    1..1',
    '    ok 1 one wins',
    '  ok 2 two-migrators',
    'not ok 1 races',
    'ok 2 thp # SKIP not built in',
    '# Totals: pass:0 fail:1 xfail:0 xpass:0 skip:1 error:0',
    '',
  ]);
});

test('what is not decided is an error and never ok', () => {
  const [, , result, totals] = ktapDocument([
    leaf('n5', 'error', 'bound reached after 10 executions'),
  ]).split('\n');
  assert.equal(result, 'not ok 1 n5 # ERROR bound reached after 10 executions');
  assert.equal(totals, '# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:0 error:1');
});

test('every outcome has its line', () => {
  const outcomes = ['pass', 'fail', 'xfail', 'skip', 'timeout', 'error'] as const;
  assert.deepEqual(
    ktapDocument(outcomes.map((outcome) => leaf('it', outcome)))
      .split('\n')
      .slice(2, 8),
    [
      'ok 1 it',
      'not ok 2 it',
      'ok 3 it # XFAIL',
      'ok 4 it # SKIP',
      'not ok 5 it # TIMEOUT',
      'not ok 6 it # ERROR',
    ],
  );
});

test('a group is as bad as the worst of its subtests', () => {
  const group = (...outcomes: KtapOutcome[]) =>
    outcomeOf({ name: 'g', diagnostics: [], subtests: outcomes.map((each) => leaf('x', each)) });
  assert.equal(group('pass', 'error', 'fail'), 'fail');
  assert.equal(group('pass', 'error', 'skip'), 'error');
  assert.equal(group('pass', 'timeout'), 'error');
  assert.equal(group('xfail', 'skip'), 'pass');
  assert.equal(group('skip'), 'skip');
  assert.equal(group(), 'skip');
});

test('a name cannot end its own line or begin a directive', () => {
  const document = ktapDocument([leaf('a # SKIP\nok 2 b', 'fail')]);
  assert.equal(document.split('\n')[2], 'not ok 1 a no.  SKIP ok 2 b');
});

test('no tests are a plan of none', () => {
  assert.equal(
    ktapDocument([]),
    'KTAP version 1\n1..0\n# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:0 error:0\n',
  );
  assert.equal(totalsOf([leaf('a', 'xfail')]).xfail, 1);
});
