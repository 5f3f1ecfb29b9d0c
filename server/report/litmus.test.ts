import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import { type LitmusResult, litmusBlock } from './litmus.ts';

const SEARCHED: LitmusResult = {
  name: 'seed-zero-page',
  form: 'exhaustive',
  complete: true,
  states: [
    { text: 'dev1:r0=0x0; PTE=device-private;', count: 3, meets: true },
    { text: 'dev1:r0=0x2a; PTE=present;', count: 17, meets: false },
  ],
  quantifier: 'exists',
  condition: 'dev1:r0=0x0 /\\ dev0:wrote=1',
  positive: 3,
  negative: 17,
  seconds: 0.1,
  hash: '0123456789abcdef0123456789abcdef',
};

/** Whole numbers of trials, as litmus7 counts them. */
const SAMPLED: LitmusResult = {
  ...SEARCHED,
  form: 'sampled',
  complete: false,
  states: SEARCHED.states.map((state, at) => ({ ...state, count: at === 0 ? 2 : 4_999_998 })),
  positive: 2,
  negative: 4_999_998,
};

function assertBlock(result: LitmusResult, expected: string): void {
  assert.deepEqual(litmusBlock(result).split('\n'), expected.slice(1).split('\n'));
}

test('a complete search reads like herd7', () => {
  assertBlock(
    SEARCHED,
    `
Test seed-zero-page Allowed
States 2
dev1:r0=0x0; PTE=device-private;
dev1:r0=0x2a; PTE=present;
Ok
Witnesses
Positive: 3 Negative: 17
Condition exists (dev1:r0=0x0 /\\ dev0:wrote=1)
Observation seed-zero-page Sometimes 3 17
Time seed-zero-page 0.10
Hash=0123456789abcdef0123456789abcdef
`,
  );
});

test('trials read like litmus7: counts, marks, and the hash before the observation', () => {
  assertBlock(
    SAMPLED,
    `
Test seed-zero-page Allowed
Histogram (2 states)
2     *>dev1:r0=0x0; PTE=device-private;
4999998:>dev1:r0=0x2a; PTE=present;
Ok

Witnesses
Positive: 2, Negative: 4999998
Condition exists (dev1:r0=0x0 /\\ dev0:wrote=1) is validated
Hash=0123456789abcdef0123456789abcdef
Observation seed-zero-page Sometimes 2 4999998
Time seed-zero-page 0.10
`,
  );
});

/** The lines that say what came of it. */
function answersOf(result: LitmusResult): string[] {
  const kept = /^(Test|Ok|No|Unknown|Positive|Condition|Observation|States|#)/;
  return litmusBlock(result)
    .split('\n')
    .filter((line) => kept.test(line));
}

test('what is forbidden counts its witnesses the other way round, its observation does not', () => {
  assert.deepEqual(answersOf({ ...SEARCHED, quantifier: '~exists' }), [
    'Test seed-zero-page Forbidden',
    'States 2',
    'No',
    'Positive: 17 Negative: 3',
    'Condition ~exists (dev1:r0=0x0 /\\ dev0:wrote=1)',
    'Observation seed-zero-page Sometimes 3 17',
  ]);
  assert.deepEqual(answersOf({ ...SEARCHED, quantifier: '~exists', positive: 0, negative: 20 }), [
    'Test seed-zero-page Forbidden',
    'States 2',
    'Ok',
    'Positive: 20 Negative: 0',
    'Condition ~exists (dev1:r0=0x0 /\\ dev0:wrote=1)',
    'Observation seed-zero-page Never 0 20',
  ]);
});

test('forall is required of every state', () => {
  const [head, , answer] = answersOf({ ...SEARCHED, quantifier: 'forall' });
  assert.deepEqual([head, answer], ['Test seed-zero-page Required', 'No']);
  const always = answersOf({ ...SEARCHED, quantifier: 'forall', positive: 20, negative: 0 });
  assert.equal(always[2], 'Ok');
  assert.equal(always.at(-1), 'Observation seed-zero-page Always 20 0');
  const marked = litmusBlock({ ...SAMPLED, quantifier: 'forall' }).split('\n');
  assert.match(marked[3] ?? '', /^4999998\*>/);
});

test('a search that did not end says no never, no always and no number of states', () => {
  const unended: LitmusResult = { ...SEARCHED, complete: false, positive: 0, negative: 20 };
  assert.deepEqual(answersOf(unended), [
    'Test seed-zero-page Allowed',
    '# The search did not end.',
    'Unknown',
    'Positive: 0 Negative: 20',
    'Condition exists (dev1:r0=0x0 /\\ dev0:wrote=1)',
    'Observation seed-zero-page Unknown 0 20',
  ]);
  const once = answersOf({ ...unended, positive: 1, negative: 0 }).at(-1);
  assert.equal(once, 'Observation seed-zero-page Sometimes 1 0');
  // One witness settles it, however much is left.
  assert.equal(answersOf({ ...unended, positive: 1 })[2], 'Ok');
  assert.equal(answersOf({ ...unended, quantifier: '~exists' })[2], 'Unknown');
  assert.equal(answersOf({ ...unended, quantifier: '~exists', positive: 1 })[2], 'No');
  assert.equal(
    answersOf({ ...unended, quantifier: 'forall', positive: 1, negative: 0 })[2],
    'Unknown',
  );
});

test('without a time there is no line of time', () => {
  assert.ok(!litmusBlock({ ...SEARCHED, seconds: 'not measured' }).includes('Time'));
});

test('no line is too long for a mailing list, and nothing is lost by it', () => {
  const register = fc.stringMatching(/^[a-z0-9:=[\]]{1,90}$/);
  fc.assert(
    fc.property(fc.array(register, { minLength: 1, maxLength: 12 }), (registers) => {
      const text = registers.map((each) => `${each};`).join(' ');
      const result = { ...SEARCHED, states: [{ text, count: 1, meets: true }] };
      const block = litmusBlock({ ...result, condition: registers.join(' /\\ ') });
      for (const line of block.split('\n')) assert.ok(line.length <= LIST_COLUMNS_MAX, line);
      const squeezed = block.replaceAll(/\s/g, '');
      assert.ok(squeezed.includes(text.replaceAll(' ', '')));
    }),
    { numRuns: 50 },
  );
});
