import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalValue, type EndState, isMet, termsOf } from './condition.ts';
import { parseCondition } from './parse-condition.ts';

const REGISTERS = new Map([
  ['cpu0.r0', ['0x1']],
  ['dev.r0', ['0x0', '0x2']],
  ['dev.e', ['EBUSY']],
]);

const END: EndState = {
  stuck: false,
  registers: (actor, register) => REGISTERS.get(`${actor}.${register}`) ?? [],
  pte: (place) => (place === 'a' ? 'device-private' : 'none'),
  mirrors: (actor) => (actor === 'dev' ? ['zero', 'none'] : []),
};

function met(text: string): boolean {
  const parsed = parseCondition(text);
  if (!parsed.ok) assert.fail(`${text}: ${parsed.problem.message}`);
  return isMet(parsed.condition, END);
}

function problem(text: string): string {
  const parsed = parseCondition(text);
  return parsed.ok ? 'none' : `${parsed.problem.at}: ${parsed.problem.message}`;
}

test('registers, entries and mirrors compare with words and with numbers in any spelling', () => {
  for (const text of [
    'cpu0.r0 = 1',
    'cpu0.r0 = 0x1',
    'cpu0.r0 = 0x01',
    'cpu0.r0 != 2',
    'dev.e = EBUSY',
  ]) {
    assert.equal(met(text), true, text);
  }
  for (const text of ['pte(a) = device-private', 'pte( b )=none', 'mirror(dev, a) = zero']) {
    assert.equal(met(text), true, text);
  }
  assert.equal(met('cpu0.r0 = 2'), false);
});

test('a name of several actors means any of them; a register that was never set equals nothing, nor differs', () => {
  assert.deepEqual([met('dev.r0 = 0'), met('dev.r0 = 2'), met('dev.r0 = 3')], [true, true, false]);
  assert.deepEqual([met('cpu0.r9 = 0'), met('cpu0.r9 != 0')], [false, false]);
});

test('or binds loosest, then and, then not; litmus signs say the same', () => {
  assert.equal(met('stuck and stuck or cpu0.r0 = 1'), true);
  assert.equal(met('stuck and (stuck or cpu0.r0 = 1)'), false);
  assert.equal(met('not stuck and cpu0.r0 = 1'), true);
  assert.equal(met('not (stuck or cpu0.r0 = 1)'), false);
  assert.equal(met('~stuck /\\ cpu0.r0=1 \\/ stuck'), true);
  assert.equal(met('not not stuck'), false);
});

test('every term is listed', () => {
  const parsed = parseCondition('not (a.r = 1 or pte(b) = none) and mirror(d, b) = zero and stuck');
  assert.ok(parsed.ok);
  assert.deepEqual(
    termsOf(parsed.condition).map(({ kind }) => kind),
    ['register', 'pte', 'mirror'],
  );
});

test('what cannot be read is pointed at', () => {
  assert.equal(
    problem('cpu0.r0 = 1 and'),
    '15: expected actor.register, pte(vma), mirror(device, vma) or stuck, got the end',
  );
  assert.equal(problem('cpu0.r0 = 1 cpu1'), '12: expected "and", "or" or the end, got "cpu1"');
  assert.equal(
    problem('cpu0 = 1'),
    '0: expected actor.register, pte(vma), mirror(device, vma) or stuck, got "cpu0"',
  );
  assert.equal(problem('cpu0.r0 & 1'), '8: "&" does not belong into a condition');
  assert.equal(problem('(stuck'), '6: expected ")", got the end');
  assert.equal(problem('mirror(dev) = none'), '10: expected ",", got ")"');
  assert.equal(
    problem(''),
    '0: expected actor.register, pte(vma), mirror(device, vma) or stuck, got the end',
  );
  assert.match(problem(`${'('.repeat(100)}stuck`), /at most 32 levels/);
});

test('numbers have one spelling', () => {
  assert.deepEqual(['0', 10, '0xAB', '0x00ff', 'OK'].map(canonicalValue), [
    '0x0',
    '0xa',
    '0xab',
    '0xff',
    'OK',
  ]);
});
